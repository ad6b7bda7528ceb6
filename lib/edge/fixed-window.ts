import 'server-only'
import { Ratelimit } from '@upstash/ratelimit'
import type { Redis } from '@upstash/redis'
import { withRedis } from '../redis/client'

export type Window = { name: string; limit: number; seconds: number }
export type Verdict = { allowed: boolean; retryAfterSeconds: number }

const limiters = new Map<string, Ratelimit>()
const local = new Map<string, { count: number; endsAt: number }>()

/**
 * Count one request against a fixed window shared by all servers. While Redis is away each process counts for itself:
 * the limit loosens by the number of processes, and never disappears.
 */
export async function countRequest(window: Window, key: string): Promise<Verdict> {
  return await withRedis(
    async (redis) => {
      const { success, reset } = await limiter(redis, window).limit(key)
      return { allowed: success, retryAfterSeconds: secondsUntil(reset) }
    },
    () => countLocally(window, key),
  )
}

function limiter(redis: Redis, window: Window): Ratelimit {
  const known = limiters.get(window.name)
  if (known) return known
  const created = new Ratelimit({
    redis,
    limiter: Ratelimit.fixedWindow(window.limit, `${window.seconds} s`),
    prefix: `limit:${window.name}`,
    ephemeralCache: false,
    analytics: false,
    // The library's own timeout would let everything pass.
    timeout: 0,
  })
  limiters.set(window.name, created)
  return created
}

function countLocally(window: Window, key: string): Verdict {
  const now = Date.now()
  const id = `${window.name}:${key}`
  if (local.size > 10_000) local.clear()
  const entry = local.get(id)
  const current = entry && entry.endsAt > now ? entry : { count: 0, endsAt: now + window.seconds * 1000 }
  current.count++
  local.set(id, current)
  return { allowed: current.count <= window.limit, retryAfterSeconds: secondsUntil(current.endsAt) }
}

function secondsUntil(time: number): number {
  return Math.max(1, Math.ceil((time - Date.now()) / 1000))
}
