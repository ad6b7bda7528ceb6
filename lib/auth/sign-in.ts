import 'server-only'
import { log } from '../log'
import { noteActor } from '../request-context'
import { supabase } from '../supabase/server'
import { authFailure } from './failure'

/** @throws AppError wrong_credentials (also for an unconfirmed account), too_many_requests, unavailable */
export async function signIn(input: {
  email: string
  password: string
  next: string
}): Promise<{ next: string }> {
  const client = await supabase()
  const { data, error } = await client.auth.signInWithPassword({
    email: input.email,
    password: input.password,
  })
  if (error) throw authFailure(error)
  noteActor(data.user.id)
  log.security('signed_in')
  return { next: input.next }
}
