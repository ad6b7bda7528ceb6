import 'server-only'
import { z } from 'zod'
import { AppError } from '../errors'
import { log } from '../log'
import { supabase } from '../supabase/server'
import { authFailure } from './failure'

/** How long after following a mail's link a new password may be set. */
const PROOF_LIFETIME_SECONDS = 15 * 60

const Proofs = z.object({ amr: z.array(z.object({ method: z.string(), timestamp: z.number() })) })

/** Have a recovery mail sent, if there is such an account; the answer does not tell. */
export async function requestPasswordReset(input: { email: string }): Promise<void> {
  const client = await supabase()
  const { error } = await client.auth.resetPasswordForEmail(input.email)
  if (error && (error.status ?? 500) >= 500) throw authFailure(error)
}

/**
 * Set a new password for whoever has just followed a link from our mail, and end all their other sessions.
 * @throws AppError link_expired without such a link in the last 15 minutes; weak_password
 */
export async function setNewPassword(input: { password: string }): Promise<void> {
  const client = await supabase()
  const { data } = await client.auth.getClaims()
  const proofs = Proofs.safeParse(data?.claims)
  const since = Date.now() / 1000 - PROOF_LIFETIME_SECONDS
  if (!proofs.data?.amr.some(({ method, timestamp }) => method !== 'password' && timestamp > since)) {
    throw new AppError('link_expired')
  }
  const { error } = await client.auth.updateUser({ password: input.password })
  if (error) throw authFailure(error)
  log.security('password_changed')
  await client.auth.signOut({ scope: 'others' })
  log.security('session_ended', { reason: 'password_changed' })
}
