import 'server-only'
import { AppError } from '../errors'
import { supabaseAsNobody } from '../supabase/server'
import { requireSignUps } from '../switches/require-sign-ups'
import { isCommonPassword } from './common-passwords'
import { authFailure } from './failure'
import { answerAfter } from './steady-time'

/** An account is there, or a mail is on its way already: to say so would tell who has an account. */
const SAME_ANSWER = new Set(['user_already_exists', 'email_exists', 'over_email_send_rate_limit'])

const ANSWER_MS = 1_000

/**
 * Create an account and have the confirmation mail sent. Whether the address has an account already is not told.
 * @throws AppError sign_ups_paused, weak_password, too_many_requests, unavailable
 */
export async function signUp(input: { email: string; password: string }): Promise<void> {
  await requireSignUps()
  if (isCommonPassword(input.password, input.email)) throw new AppError('weak_password')
  await answerAfter(ANSWER_MS, createAccount(input))
}

async function createAccount(input: { email: string; password: string }): Promise<void> {
  const { error } = await supabaseAsNobody().auth.signUp(input)
  if (error && !SAME_ANSWER.has(error.code ?? '')) throw authFailure(error)
}
