import type { Standing } from './take-limits'

/**
 * How the limits stand, as draft-ietf-httpapi-ratelimit-headers-11 words it: what each allows in how many seconds, and what
 * is left of it until when.
 */
export function rateLimitHeaders(standings: Standing[]): Record<string, string> {
  if (standings.length === 0) return {}
  return {
    'ratelimit-policy': standings
      .map(({ name, limit, seconds }) => `"${name}";q=${limit};w=${seconds}`)
      .join(', '),
    ratelimit: standings
      .map(({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`)
      .join(', '),
  }
}
