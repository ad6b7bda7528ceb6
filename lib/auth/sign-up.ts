import 'server-only'
import { supabase } from '../supabase/server'
import { authFailure } from './failure'

/**
 * Create an account and have the confirmation mail sent. Whether the address has one already is not told: the answer is
 * the same, and the mail says the rest.
 * @throws AppError weak_password, too_many_requests, unavailable
 */
export async function signUp(input: { email: string; password: string }): Promise<void> {
  const client = await supabase()
  const { error } = await client.auth.signUp(input)
  if (error && error.code !== 'user_already_exists' && error.code !== 'email_exists') throw authFailure(error)
}
