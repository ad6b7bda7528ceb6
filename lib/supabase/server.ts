import 'server-only'
import { createServerClient } from '@supabase/ssr'
import type { SupabaseClient } from '@supabase/supabase-js'
import { cookies, headers } from 'next/headers'
import { cache } from 'react'
import { clientAddress } from '../edge/client-address'
import { sessionCookie, sessionLifetime } from '../edge/session-cookie'
import { env } from '../env'
import { withDeadline } from './with-deadline'

const DEADLINE_MS = 5_000

/**
 * Supabase as the person who asks: everything it reads goes through row-level security with their session.
 * There is no other Supabase client in the app, and no key that could bypass the policies.
 */
export const supabase = cache(async (): Promise<SupabaseClient> => {
  const { url, publishableKey } = env().supabase
  const jar = await cookies()
  const address = clientAddress(await headers(), env().trustedProxyHops)
  return createServerClient(url, publishableKey, {
    ...sessionCookie(env()),
    global: {
      fetch: withDeadline(DEADLINE_MS),
      // All sign-ins reach Supabase from this server; this is how hosted limits the person rather than us.
      headers: address ? { 'x-forwarded-for': address } : {},
    },
    // It would repeat a read three times, each with a deadline of its own: 27 s while Supabase hangs.
    db: { retry: false },
    cookies: {
      encode: 'tokens-only',
      getAll: () => jar.getAll(),
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

export { type AuthError, isAuthRetryableFetchError } from '@supabase/supabase-js'
