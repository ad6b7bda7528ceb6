import 'server-only'
import { withRedis } from './client'

export type RollingRule = { key: string; limit: number }
export type RollingVerdict = { allowed: boolean; retryAfterSeconds: number }

/**
 * A log of what was counted, per rule, in a sorted set: exact over any rolling window, where counters in fixed windows
 * let twice the limit through around their edges. All rules are asked first and counted only if none refuses.
 * What is in the log already (the same member) passes again without counting.
 */
const SCRIPT = `
local now, since, window, member = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local oldest = false
for i = 1, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', since)
  if not redis.call('ZSCORE', KEYS[i], member) and redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[4 + i]) then
    local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
    if not oldest or tonumber(first) > tonumber(oldest) then oldest = first end
  end
end
if oldest then return oldest end
for i = 1, #KEYS do
  if not redis.call('ZSCORE', KEYS[i], member) then redis.call('ZADD', KEYS[i], now, member) end
  redis.call('PEXPIRE', KEYS[i], window)
end
return ''
`

const local = new Map<string, Map<string, number>>()

/**
 * Count `member` once against every rule over the last `windowMs`. While Redis is away each process counts for itself.
 */
export async function countRolling(
  rules: RollingRule[],
  member: string,
  windowMs: number,
): Promise<RollingVerdict> {
  const now = Date.now()
  const waitMs = await withRedis(
    async (redis) => {
      // Times stay text inside the script: not every Lua has integers wide enough for them.
      const oldest = await redis.eval<string[], string | number>(
        SCRIPT,
        rules.map((rule) => `log:${rule.key}`),
        [now, now - windowMs, windowMs, member, ...rules.map((rule) => rule.limit)].map(String),
      )
      return oldest === '' ? 0 : Number(oldest) + windowMs - now
    },
    () => countLocally(rules, member, windowMs, now),
  )
  return { allowed: waitMs === 0, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) }
}

function countLocally(rules: RollingRule[], member: string, windowMs: number, now: number): number {
  if (local.size > 10_000) local.clear()
  const logs = rules.map((rule) => {
    const entries = [...(local.get(rule.key) ?? [])].filter(([, at]) => at > now - windowMs)
    return { rule, entries: new Map(entries) }
  })
  const waits = logs.map(({ rule, entries }) => {
    if (entries.has(member) || entries.size < rule.limit) return 0
    return Math.min(...entries.values()) + windowMs - now
  })
  const wait = Math.max(0, ...waits)
  for (const { rule, entries } of logs) {
    if (wait === 0 && !entries.has(member)) entries.set(member, now)
    local.set(rule.key, entries)
  }
  return wait
}
