import 'server-only'
import type { Redis } from '@upstash/redis'
import type { Counted } from './fixed-window'

export type RollingRule = { key: string; limit: number; seconds: number }

/**
 * A log of what was counted, per rule, in a sorted set: exact over any rolling window, where counters in fixed windows
 * let twice the limit through around their edges. All rules are asked first and counted only if none refuses. What is in
 * the log already (the same member) passes again without counting. The time is Redis's own: servers' clocks differ.
 * Answers how many rules refuse, then per rule how many there are and for how many milliseconds the oldest still counts.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000.0 + math.floor(tonumber(time[2]) / 1000)
local member = ARGV[1]
local refuses = 0
local known = {}
for i = 1, #KEYS do
  local window = tonumber(ARGV[2 * i + 1]) * 1.0
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', string.format('%.0f', now - window))
  known[i] = redis.call('ZSCORE', KEYS[i], member)
  if not known[i] and redis.call('ZCARD', KEYS[i]) >= tonumber(ARGV[2 * i]) then refuses = refuses + 1 end
end
local answer = tostring(refuses)
for i = 1, #KEYS do
  local window = tonumber(ARGV[2 * i + 1]) * 1.0
  if refuses == 0 then
    if not known[i] then redis.call('ZADD', KEYS[i], string.format('%.0f', now), member) end
    redis.call('PEXPIRE', KEYS[i], ARGV[2 * i + 1])
  end
  local first = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')[2]
  local left = first and tonumber(first) + window - now or 0
  answer = answer .. string.format(',%.0f,%.0f', redis.call('ZCARD', KEYS[i]), left)
end
return answer
`

/**
 * Count `member` once against every rule, over any stretch of the rule's length.
 * @returns per rule what it says; `refused` on all of them when one refuses, and then none has counted
 * @throws Error when the answer cannot be right
 */
export async function countRolling(redis: Redis, rules: RollingRule[], member: string): Promise<Counted[]> {
  const answer = await redis.eval<string[], unknown>(
    SCRIPT,
    rules.map((rule) => rule.key),
    [member, ...rules.flatMap((rule) => [String(rule.limit), String(rule.seconds * 1000)])],
  )
  const numbers = typeof answer === 'string' ? answer.split(',').map(Number) : []
  if (numbers.length !== 1 + 2 * rules.length || !numbers.every(Number.isInteger))
    throw new Error('Redis did not count')
  const refused = numbers[0] !== 0
  return rules.map((rule, index) => {
    const used = numbers[1 + 2 * index] ?? 0
    const resetMs = numbers[2 + 2 * index] ?? 0
    return { refused: refused && used >= rule.limit, remaining: Math.max(0, rule.limit - used), resetMs }
  })
}

/** Take back what was counted: it went well, and only failures count. */
export async function uncountRolling(redis: Redis, keys: string[], member: string): Promise<void> {
  await Promise.all(keys.map((key) => redis.zrem(key, member)))
}
