import 'server-only'
import { redirect } from 'next/navigation'
import { cache } from 'react'
import { callService } from '../db/sql'
import { hasLapsed, proofTimes } from '../edge/session-lifetime'
import { TokenClaims } from '../edge/settle-session'
import { AppError } from '../errors'
import { noteActor } from '../request-context'
import { isAuthRetryableFetchError, settledSession, supabase } from '../supabase/server'
import { inTime } from '../supabase/with-deadline'

export type User = { id: string; email: string }

/** Who asks, and when they last proved it, by a password or a mail's link. */
type Asker = User & { provenAt: number }

const DEADLINE_MS = 3_000
/** For whether an account is there still: a page does not wait for long, only to show a name. */
const ACCOUNT_DEADLINE_MS = 1_000

/** How long after proving who they are people may do what cannot be undone. */
const RECENT_MS = 10 * 60_000

/** `unknown` when a token has run out and Auth cannot be reached to renew it: that is not the same as nobody. */
const whoAsks = cache(async (): Promise<Asker | null | 'unknown'> => {
  if ((await settledSession()).kind === 'unknown') return 'unknown'
  const client = await supabase()
  const answer = await inTime(client.auth.getClaims(), DEADLINE_MS).catch(() => 'late' as const)
  if (answer === 'late' || isAuthRetryableFetchError(answer.error)) return 'unknown'
  // The library has checked the signature and the time only.
  const claims = TokenClaims.safeParse(answer.data?.claims)
  if (!claims.success || hasLapsed(claims.data)) return null
  noteActor(claims.data.sub)
  return { id: claims.data.sub, email: claims.data.email, provenAt: proofTimes(claims.data).lastAt }
})

/** Who is asking, by a token verified on this machine, or null; for what is counted by person. */
export async function findUser(): Promise<User | null> {
  const asker = await whoAsks()
  return asker === 'unknown' ? null : asker
}

/** For pages that look the same without: who is asking, or null. Whose account is gone is nobody, however good their token is. */
export async function findUserOfPage(): Promise<User | null> {
  const user = await findUser()
  return user && (await hasAccount(user.id)) ? user : null
}

/** Asked once for a page. Without an answer the token is believed: what the page reads of them asks the same database. */
const hasAccount = cache(async (userId: string): Promise<boolean> => {
  const answer = inTime(callService<boolean>('has_account', { p_actor: userId }), ACCOUNT_DEADLINE_MS)
  return (await answer.catch(() => 'late' as const)) !== false
})

/** @throws AppError sign_in_required; unavailable when it cannot be told who asks */
export async function requireUser(): Promise<User> {
  return await requireAsker()
}

/**
 * Who is asking, confirmed by Supabase Auth itself: a session ended elsewhere counts as ended. For whatever moves money or
 * changes an account.
 * @throws AppError sign_in_required; unavailable when Auth cannot be reached
 */
export async function requireFreshUser(): Promise<User> {
  return await requireFreshAsker()
}

/**
 * As requireFreshUser, and the person has given their password within the last ten minutes: for staff's power over money,
 * for leaving and for taking data along.
 * @param refusal what to answer to an older sign-in
 * @throws AppError that refusal, besides what requireFreshUser throws
 */
export async function requireRecentSignIn(
  refusal: 'confirm_password' | 'proof_too_old' = 'confirm_password',
): Promise<User> {
  const asker = await requireFreshAsker()
  if (!isRecent(asker)) throw new AppError(refusal)
  return asker
}

/** For pages: sends whoever is not signed in to the sign-in page and back. */
export async function requireUserOrSignIn(returnTo: string): Promise<User> {
  const asker = await whoAsks()
  if (asker === 'unknown') throw new AppError('unavailable', { retryAfterSeconds: 5 })
  if (!asker || !(await hasAccount(asker.id))) redirect(`/sign-in?next=${encodeURIComponent(returnTo)}`)
  return asker
}

/**
 * For pages and forms that want a recent sign-in: asks for the password first, and comes back.
 * @param returnTo a page, never an address that only takes a POST
 */
export async function requireRecentSignInOrConfirm(returnTo: string): Promise<User> {
  await requireUserOrSignIn(returnTo)
  const asker = await requireFreshAsker()
  if (!isRecent(asker)) redirect(`/confirm-password?next=${encodeURIComponent(returnTo)}`)
  return asker
}

async function requireFreshAsker(): Promise<Asker> {
  const local = await requireAsker()
  const client = await supabase()
  const answer = await inTime(client.auth.getUser(), DEADLINE_MS)
  if (answer === 'late' || isAuthRetryableFetchError(answer.error) || (answer.error?.status ?? 0) >= 500) {
    throw new AppError('unavailable', { retryAfterSeconds: 5 })
  }
  if (answer.data.user?.id !== local.id) throw new AppError('sign_in_required')
  return local
}

async function requireAsker(): Promise<Asker> {
  const asker = await whoAsks()
  if (asker === 'unknown') throw new AppError('unavailable', { retryAfterSeconds: 5 })
  if (!asker) throw new AppError('sign_in_required')
  return asker
}

function isRecent({ provenAt }: Asker): boolean {
  return Date.now() - provenAt < RECENT_MS
}
