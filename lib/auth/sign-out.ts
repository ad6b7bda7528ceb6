import 'server-only'
import { log } from '../log'
import { forgetSession, supabase } from '../supabase/server'

/** End this session on the server and clear its cookie. Works also when Auth cannot be reached: the cookie goes anyway. */
export async function signOut(): Promise<void> {
  const client = await supabase()
  await client.auth.signOut({ scope: 'local' }).catch(() => null)
  await forgetSession()
  log.security('session_ended', { reason: 'signed_out' })
}
