import 'server-only'
import { createServerClient } from '@supabase/ssr'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { cookies, headers } from 'next/headers'
import { cache } from 'react'
import { isSession, sessionChanges, sessionCookie, sessionLifetime } from '../edge/session-cookie'
import { SESSION_UNKNOWN, type Settled, settleSession } from '../edge/settle-session'
import { env } from '../env'
import { withDeadline } from './with-deadline'

const DEADLINE_MS = 5_000

/** How the session of this request stands. Middleware has settled it already; where it does not reach, this does. */
export const settledSession = cache(async (): Promise<Settled> => {
  if ((await headers()).has(SESSION_UNKNOWN)) return { kind: 'unknown' }
  return await settleSession((await cookies()).getAll())
})

/**
 * Supabase as the person who asks: everything it reads goes through row-level security with their session.
 * No client in the app has a key that could bypass the policies.
 */
export const supabase = cache(async (): Promise<SupabaseClient> => {
  const { url, publishableKey } = env().supabase
  const jar = await cookies()
  const settled = await settledSession()
  const present = jar.getAll()
  // The library sees a session that is good for a while, or none: it would renew it again and again by itself.
  const seen =
    settled.kind === 'unchanged' ? present : present.filter(({ name }) => !isSession(name, cookieName()))
  if (settled.kind === 'renewed') seen.push(...sessionChanges([], settled.session, env()))
  return createServerClient(url, publishableKey, {
    ...sessionCookie(env()),
    global: { fetch: withDeadline(DEADLINE_MS) },
    // It would repeat a read three times, each with a deadline of its own: 27 s while Supabase hangs.
    db: { retry: false },
    cookies: {
      encode: 'tokens-only',
      getAll: () => seen,
      setAll: (changes) => {
        try {
          for (const { name, value, options } of changes)
            jar.set(name, value, { ...options, ...sessionLifetime(options.maxAge) })
        } catch {
          // A page may not set cookies; middleware has refreshed the session before it.
        }
      },
    },
  })
})

/** Supabase as nobody, for what is asked before signing in: it reads no cookie and leaves none. */
export function supabaseAsNobody(): SupabaseClient {
  const { url, publishableKey } = env().supabase
  return createClient(url, publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: withDeadline(DEADLINE_MS) },
  })
}

/** Take the session out of the browser, whatever state it is in. Not in pages: they cannot set cookies. */
export async function forgetSession(): Promise<void> {
  const jar = await cookies()
  for (const { name, value, flags } of sessionChanges(jar.getAll(), null, env())) jar.set(name, value, flags)
}

const cookieName = () => sessionCookie(env()).cookieOptions.name

export type Supabase = SupabaseClient
export { type AuthError, isAuthRetryableFetchError } from '@supabase/supabase-js'
