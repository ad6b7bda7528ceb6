import 'server-only'
import { processWide } from '../process-wide'

/** Room for this many counts. Beyond it those that have been there longest go, never all of them. */
const MOST = 50_000

/** What one process counts by itself while Redis is away: when each thing that counts happened. */
const counts = processWide('local-counts', () => new Map<string, Map<string, number>>())

/**
 * Count `member` in the window that ends now and began at `since`, unless `limit` are in it already.
 * @returns how many there are now and when the oldest came; `refused` when this one was not counted.
 */
export function countLocally({ key, member, since, limit, now }: LocalCount): LocalVerdict {
  const entries = recent(key, since)
  const refused = !entries.has(member) && entries.size >= limit
  if (!refused && !entries.has(member)) entries.set(member, now)
  counts.delete(key)
  counts.set(key, entries)
  for (const oldest of counts.keys()) {
    if (counts.size <= MOST) break
    counts.delete(oldest)
  }
  return { refused, used: entries.size, oldest: Math.min(now, ...entries.values()) }
}

export function uncountLocally(key: string, member: string): void {
  counts.get(key)?.delete(member)
}

export function forgetLocally(key: string): void {
  counts.delete(key)
}

type LocalCount = { key: string; member: string; since: number; limit: number; now: number }
type LocalVerdict = { refused: boolean; used: number; oldest: number }

function recent(key: string, since: number): Map<string, number> {
  return new Map([...(counts.get(key) ?? [])].filter(([, at]) => at > since))
}
