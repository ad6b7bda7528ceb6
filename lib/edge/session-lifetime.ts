/** A session ends this long after it was last renewed, which a request does once its token is about ten minutes old. */
export const IDLE_MS = 30 * 60_000
/** And this long after signing in, however busy it is. */
export const ABSOLUTE_MS = 12 * 60 * 60_000

/** What a token of Supabase Auth says of its session's age, in its own seconds. */
export type SessionClaims = { iat: number; amr: { method: string; timestamp: number }[] }

/**
 * When the person proved who they are: first, which began the session, and last. Renewing a token proves nothing, though
 * Auth may list it.
 */
export function proofTimes({ amr }: SessionClaims): { firstAt: number; lastAt: number } {
  const times = amr
    .filter(({ method }) => method !== 'token_refresh')
    .map(({ timestamp }) => timestamp * 1000)
  return times.length > 0
    ? { firstAt: Math.min(...times), lastAt: Math.max(...times) }
    : { firstAt: 0, lastAt: 0 }
}

/**
 * Whether a session is over by its token, which Auth has signed: nothing of ours has to be stored for it, or can be
 * forged. service.end_old_sessions() ends it at Auth by the same two limits.
 */
export function hasLapsed(claims: SessionClaims, now = Date.now()): boolean {
  return now - claims.iat * 1000 > IDLE_MS || now - proofTimes(claims).firstAt > ABSOLUTE_MS
}
