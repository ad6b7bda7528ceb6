import 'server-only'
import { createClient, isAuthRetryableFetchError, type SupabaseClient } from '@supabase/supabase-js'
import { z } from 'zod'
import { env } from '../env'
import { processWide } from '../process-wide'
import { inTime, withDeadline } from '../supabase/with-deadline'
import { isSession, readSession, type StoredSession, sessionCookie } from './session-cookie'
import { hasLapsed } from './session-lifetime'

/** supabase-js would renew a token by itself a minute and a half before its end, and try for half a minute. */
const MARGIN_MS = 100_000
const DEADLINE_MS = 3_000
/** Requests sent together with one old token come in one after the other; Auth itself has patience for ten seconds. */
const REMEMBER_MS = 5_000

/** How middleware tells pages and routes that Auth is away: they need not find out again. */
export const SESSION_UNKNOWN = 'x-session-unknown'

/** What an access token of ours says; nothing in it can be set by the person. */
export const TokenClaims = z.object({
  sub: z.uuid(),
  email: z.email(),
  aud: z.literal('authenticated'),
  role: z.literal('authenticated'),
  iss: z.string().refine((issuer) => issuer === `${env().supabase.url}/auth/v1`),
  session_id: z.uuid(),
  iat: z.number(),
  amr: z.array(z.object({ method: z.string(), timestamp: z.number() })),
})

/**
 * `unchanged` covers nobody as well as a token that is good for a while; `ended` is a session that must not be used any
 * more; `unknown` one that cannot be renewed because Auth is away, which is not the same as ended.
 */
export type Settled =
  | { kind: 'unchanged' }
  | { kind: 'renewed'; session: StoredSession }
  | { kind: 'ended' }
  | { kind: 'unknown' }

type Renewal = Exclude<Settled, { kind: 'unchanged' }>

const renewals = processWide('renewals', () => new Map<string, { at: number; renewal: Promise<Renewal> }>())

/** Renew the session in these cookies if its token is about to run out, and the session itself is not over. */
export async function settleSession(cookies: { name: string; value: string }[]): Promise<Settled> {
  const { name } = sessionCookie(env()).cookieOptions
  const stored = readSession(cookies, name)
  if (!stored) return { kind: cookies.some((cookie) => isSession(cookie.name, name)) ? 'ended' : 'unchanged' }
  if (stored.expires_at * 1000 - Date.now() > MARGIN_MS) return { kind: 'unchanged' }

  const claims = await claimsOf(stored.access_token)
  if (claims === 'unknown') return { kind: 'unknown' }
  if (!claims || hasLapsed(claims)) return { kind: 'ended' }
  const renewal = await renewOnce(stored.refresh_token)
  if (renewal.kind !== 'renewed') return renewal
  // A refresh token of one session beside an access token of another, to make an old one look young.
  const renewed = await claimsOf(renewal.session.access_token)
  return renewed !== 'unknown' && renewed?.session_id === claims.session_id ? renewal : { kind: 'ended' }
}

/** One call to Auth for a refresh token, however many requests bring it at the same time. */
function renewOnce(refreshToken: string): Promise<Renewal> {
  const now = Date.now()
  for (const [token, { at }] of renewals) if (now - at > REMEMBER_MS) renewals.delete(token)
  const known = renewals.get(refreshToken)
  if (known) return known.renewal
  const renewal = renew(refreshToken)
  renewals.set(refreshToken, { at: now, renewal })
  return renewal
}

async function renew(refreshToken: string): Promise<Renewal> {
  const { url, publishableKey } = env().supabase
  try {
    const response = await withDeadline(DEADLINE_MS)(`${url}/auth/v1/token?grant_type=refresh_token`, {
      method: 'POST',
      headers: { apikey: publishableKey, 'content-type': 'application/json' },
      body: JSON.stringify({ refresh_token: refreshToken }),
      cache: 'no-store',
    })
    if (response.status >= 500 || response.status === 429) return { kind: 'unknown' }
    if (!response.ok) return { kind: 'ended' }
    return { kind: 'renewed', session: (await response.json()) as StoredSession }
  } catch {
    return { kind: 'unknown' }
  }
}

let reader: SupabaseClient | undefined

/** The claims of a token that Auth has signed, even one that has run out; null for any other. */
async function claimsOf(token: string): Promise<z.infer<typeof TokenClaims> | null | 'unknown'> {
  const { url, publishableKey } = env().supabase
  reader ??= createClient(url, publishableKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    global: { fetch: withDeadline(DEADLINE_MS) },
  })
  const answer = await inTime(reader.auth.getClaims(token, { allowExpired: true }), DEADLINE_MS).catch(
    () => 'late' as const,
  )
  if (answer === 'late' || isAuthRetryableFetchError(answer.error)) return 'unknown'
  return TokenClaims.safeParse(answer.data?.claims).data ?? null
}
