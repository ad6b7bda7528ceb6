import 'server-only'
import { supabase } from '../supabase/server'
import { requireSignUps } from '../switches/require-sign-ups'
import { authFailure } from './failure'

/** An account is there, or a mail is on its way already: to say so would tell who has an account. */
const SAME_ANSWER = new Set(['user_already_exists', 'email_exists', 'over_email_send_rate_limit'])

/**
 * Create an account and have the confirmation mail sent. Whether the address has an account already is not told.
 * @throws AppError sign_ups_paused, weak_password, too_many_requests, unavailable
 */
export async function signUp(input: { email: string; password: string }): Promise<void> {
  await requireSignUps()
  const client = await supabase()
  const { error } = await client.auth.signUp(input)
  if (error && !SAME_ANSWER.has(error.code ?? '')) throw authFailure(error)
}
