import 'server-only'
import { createServerClient } from '@supabase/ssr'
import type { NextRequest, NextResponse } from 'next/server'
import { env } from '../env'
import { inTime, withDeadline } from '../supabase/with-deadline'
import { sessionCookie, sessionLifetime } from './session-cookie'

const DEADLINE_MS = 3_000

/**
 * Renew an access token that has run out, so that pages (which cannot set cookies) see a valid one. Request and answer get
 * the new cookie, and an answer that sets one is never cached.
 * @param respond makes the answer from the request as it then is; called again when the cookies changed
 */
export async function refreshSession(
  request: NextRequest,
  respond: () => NextResponse,
): Promise<NextResponse> {
  let response = respond()
  const { cookieOptions } = sessionCookie(env())
  const hasSession = request.cookies.getAll().some(({ name }) => name.startsWith(cookieOptions.name))
  if (!hasSession) return response

  const { url, publishableKey } = env().supabase
  const supabase = createServerClient(url, publishableKey, {
    cookieOptions,
    global: { fetch: withDeadline(DEADLINE_MS) },
    cookies: {
      encode: 'tokens-only',
      getAll: () => request.cookies.getAll(),
      setAll: (changes, cacheHeaders) => {
        for (const { name, value } of changes) request.cookies.set(name, value)
        response = respond()
        for (const { name, value, options } of changes) {
          response.cookies.set(name, value, { ...options, ...sessionLifetime(options.maxAge) })
        }
        for (const [name, value] of Object.entries(cacheHeaders)) response.headers.set(name, value)
      },
    },
  })
  await inTime(supabase.auth.getClaims(), DEADLINE_MS).catch(() => null)
  return response
}
