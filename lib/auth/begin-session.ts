import 'server-only'
import { type Supabase, supabase } from '../supabase/server'

/**
 * Sign in by whatever `prove` does, and end the session this browser had before: a new sign-in always has a new session,
 * and leaves none behind that nobody holds.
 */
export async function beginSession<Answer extends { error: unknown }>(
  prove: (client: Supabase) => Promise<Answer>,
): Promise<Answer> {
  const client = await supabase()
  const { data } = await client.auth.getSession()
  const answer = await prove(client)
  if (!answer.error && data.session) await client.auth.admin.signOut(data.session.access_token, 'local')
  return answer
}
