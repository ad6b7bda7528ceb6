import 'server-only'
import { redirect } from 'next/navigation'
import { cache } from 'react'
import { z } from 'zod'
import { env } from '../env'
import { AppError } from '../errors'
import { supabase } from '../supabase/server'

export type User = { id: string; email: string }

/** What a token must say besides being signed by our project: the library checks the signature and the time only. */
const Claims = z.object({
  sub: z.uuid(),
  email: z.email(),
  aud: z.literal('authenticated'),
  role: z.literal('authenticated'),
  iss: z.string(),
})

/** Who is asking, by a token verified on this machine; null when nobody is signed in. Good enough for reading. */
export const findUser = cache(async (): Promise<User | null> => {
  const client = await supabase()
  const { data } = await client.auth.getClaims().catch(() => ({ data: null }))
  const claims = Claims.safeParse(data?.claims)
  if (!claims.success || claims.data.iss !== `${env().supabase.url}/auth/v1`) return null
  return { id: claims.data.sub, email: claims.data.email }
})

/** @throws AppError sign_in_required */
export async function requireUser(): Promise<User> {
  const user = await findUser()
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
  const { data, error } = await client.auth.getUser()
  if (error && (error.status === undefined || error.status >= 500 || error.status === 0)) {
    throw new AppError('unavailable', { cause: error, retryAfterSeconds: 5 })
  }
  if (data.user?.id !== local.id) throw new AppError('sign_in_required')
  return local
}

/** For pages: sends whoever is not signed in to the sign-in page and back. */
export async function requireUserOrSignIn(returnTo: string): Promise<User> {
  const user = await findUser()
  if (!user) redirect(`/sign-in?next=${encodeURIComponent(returnTo)}`)
  return user
}
