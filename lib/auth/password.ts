import 'server-only'
import { TokenClaims } from '../edge/settle-session'
import { AppError } from '../errors'
import { log } from '../log'
import { supabase, supabaseAsNobody } from '../supabase/server'
import { isCommonPassword } from './common-passwords'
import { authFailure } from './failure'
import { forgetFailedSignIns } from './limit-sign-in'
import { answerAfter } from './steady-time'

/** How long after following a mail's link a new password may be set. */
const PROOF_LIFETIME_SECONDS = 15 * 60
const ANSWER_MS = 1_000

/** Have a recovery mail sent, if there is such an account; the answer does not tell, nor how long it takes. */
export async function requestPasswordReset(input: { email: string }): Promise<void> {
  await answerAfter(ANSWER_MS, sendRecoveryMail(input.email))
}

/**
 * Set a new password for whoever has just followed a link from our mail, and end all their other sessions. Auth tells them
 * by mail that it was changed.
 * @throws AppError link_expired without such a link in the last 15 minutes; weak_password
 */
export async function setNewPassword(input: { password: string }): Promise<void> {
  const client = await supabase()
  const { data } = await client.auth.getClaims()
  const claims = TokenClaims.safeParse(data?.claims).data
  const since = Date.now() / 1000 - PROOF_LIFETIME_SECONDS
  if (!claims?.amr.some(({ method, timestamp }) => method !== 'password' && timestamp > since)) {
    throw new AppError('link_expired')
  }
  if (isCommonPassword(input.password, claims.email)) throw new AppError('weak_password')
  const { error } = await client.auth.updateUser({ password: input.password })
  if (error) throw authFailure(error)
  log.security('password_changed')
  await client.auth.signOut({ scope: 'others' })
  log.security('session_ended', { reason: 'password_changed' })
  await forgetFailedSignIns(claims.email)
}

async function sendRecoveryMail(email: string): Promise<void> {
  const { error } = await supabaseAsNobody().auth.resetPasswordForEmail(email)
  if (error && (error.status ?? 500) >= 500) throw authFailure(error)
}
