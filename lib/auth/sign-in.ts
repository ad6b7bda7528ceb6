import 'server-only'
import { log } from '../log'
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
  if (error) {
    log.warn('sign_in_failed', { code: error.code })
    throw authFailure(error)
  }
  log.info('signed_in', { userId: data.user.id })
  return { next: input.next }
}
