import 'server-only'
import { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { processWide } from '../process-wide'

export type Counted = { refused: boolean; remaining: number; resetMs: number }

const limiters = processWide('limiters', () => new Map<string, Ratelimit>())

/**
 * Count once in a fixed window that all servers share.
 * @throws Error when the answer cannot be right: whoever asks then does without Redis
 */
export async function countFixed(
  redis: Redis,
  { name, key, limit, seconds }: { name: string; key: string; limit: number; seconds: number },
): Promise<Counted> {
  const answer = await limiterOf(redis, name, limit, seconds).limit(key)
  // Two ways in which the library lets everybody pass: its own timeout, and a reply that counts to nothing.
  const isCount = Number.isInteger(answer.remaining) && answer.limit === limit && answer.remaining < limit
  if (answer.reason === 'timeout' || !isCount) throw new Error('Redis did not count')
  return { refused: !answer.success, remaining: answer.remaining, resetMs: answer.reset - Date.now() }
}

function limiterOf(redis: Redis, name: string, limit: number, seconds: number): Ratelimit {
  const id = `${name}:${limit}`
  const known = limiters.get(id)
  if (known) return known
  const created = new Ratelimit({
    redis,
    limiter: Ratelimit.fixedWindow(limit, `${seconds} s`),
    prefix: `limit:${name}`,
    ephemeralCache: false,
    analytics: false,
    // The library's own timeout would let everything pass.
    timeout: 0,
  })
  limiters.set(id, created)
  return created
}
