import 'server-only'
import { redirect } from 'next/navigation'
import { cache } from 'react'
import { z } from 'zod'
import { env } from '../env'
import { AppError } from '../errors'
import { isAuthRetryableFetchError, supabase } from '../supabase/server'
import { inTime } from '../supabase/with-deadline'

export type User = { id: string; email: string }

/** What a token must say besides being signed by our project: the library checks the signature and the time only. */
const Claims = z.object({
  sub: z.uuid(),
  email: z.email(),
  aud: z.literal('authenticated'),
  role: z.literal('authenticated'),
  iss: z.string(),
})

const DEADLINE_MS = 3_000

/** `unknown` when a token has run out and Auth cannot be reached to renew it: that is not the same as nobody. */
const whoAsks = cache(async (): Promise<User | null | 'unknown'> => {
  const client = await supabase()
  const answer = await inTime(client.auth.getClaims(), DEADLINE_MS).catch(() => 'late' as const)
  if (answer === 'late' || isAuthRetryableFetchError(answer.error)) return 'unknown'
  const claims = Claims.safeParse(answer.data?.claims)
  if (!claims.success || claims.data.iss !== `${env().supabase.url}/auth/v1`) return null
  return { id: claims.data.sub, email: claims.data.email }
})

/** Who is asking, by a token verified on this machine, or null; for what looks the same without: a page's header. */
export async function findUser(): Promise<User | null> {
  const user = await whoAsks()
  return user === 'unknown' ? null : user
}

/** @throws AppError sign_in_required; unavailable when it cannot be told who asks */
export async function requireUser(): Promise<User> {
  const user = await whoAsks()
  if (user === 'unknown') throw new AppError('unavailable', { retryAfterSeconds: 5 })
  if (!user) throw new AppError('sign_in_required')
  return user
}

/**
 * Who is asking, confirmed by Supabase Auth itself: a session ended elsewhere counts as ended. For whatever moves money or
 * changes an account.
 * @throws AppError sign_in_required; unavailable when Auth cannot be reached
 */
export async function requireFreshUser(): Promise<User> {
  const local = await requireUser()
  const client = await supabase()
  const answer = await inTime(client.auth.getUser(), DEADLINE_MS)
  if (answer === 'late' || isAuthRetryableFetchError(answer.error) || (answer.error?.status ?? 0) >= 500) {
    throw new AppError('unavailable', { retryAfterSeconds: 5 })
  }
  if (answer.data.user?.id !== local.id) throw new AppError('sign_in_required')
  return local
}

/** For pages: sends whoever is not signed in to the sign-in page and back. */
export async function requireUserOrSignIn(returnTo: string): Promise<User> {
  const user = await whoAsks()
  if (user === 'unknown') throw new AppError('unavailable', { retryAfterSeconds: 5 })
  if (!user) redirect(`/sign-in?next=${encodeURIComponent(returnTo)}`)
  return user
}
