import { rateLimitHeaders } from './rate-limit-headers'
import type { Taken } from './take-limits'

/**
 * What middleware.ts tells route() in headers of the request: how the limits it counted stand, and whether Redis is away.
 * It overwrites whatever a client sent under these names; where it does not reach, route() does not read them.
 */
const STANDINGS = ['ratelimit-policy', 'ratelimit'] as const
const REDIS_AWAY = 'x-redis-away'

export function writeNotes(headers: Headers, taken: Taken): void {
  for (const name of [...STANDINGS, REDIS_AWAY]) headers.delete(name)
  for (const [name, value] of Object.entries(rateLimitHeaders(taken.standings))) headers.set(name, value)
  if (taken.isAway) headers.set(REDIS_AWAY, '1')
}

export function readNotes(headers: Headers): { isAway: boolean; standings: Record<string, string> } {
  const standings = STANDINGS.map((name) => [name, headers.get(name)] as const)
  return {
    isAway: headers.get(REDIS_AWAY) !== null,
    standings: Object.fromEntries(
      standings.filter((entry): entry is [(typeof STANDINGS)[number], string] => entry[1] !== null),
    ),
  }
}
