import 'server-only'
import { Redis } from '@upstash/redis'
import { env } from '../env'
import { errorFields, log } from '../log'
import { processWide } from '../process-wide'
import { inTime } from '../supabase/with-deadline'

/** After an outage was seen, and after each look whether it is over, do without Redis this long. */
const BREAK_MS = 1_000

/** The circuit breaker: while `isAway`, nobody waits for Redis; `lookAt` says when to see again. */
const breaker = processWide('redis-breaker', () => ({ isAway: false, lookAt: 0 }))

let client: Redis | undefined

function redis(): Redis {
  const { url, token, timeoutMs } = env().redis
  client ??= new Redis({
    url,
    token,
    // The library would try for 4 s on a refused connection, and wait 5 s for a silent one.
    retry: false,
    signal: () => AbortSignal.timeout(timeoutMs),
    enableTelemetry: false,
  })
  return client
}

/**
 * Ask Redis, or answer from `otherwise` when it is away. The first call of an outage costs up to the time limit
 * (300 ms unless REDIS_TIMEOUT_MS says otherwise) in all, those after it nothing: whether the outage is over is looked at
 * beside them, with a PING that nobody waits for.
 */
export async function withRedis<Result>(
  ask: (redis: Redis) => Promise<Result>,
  otherwise: () => Result,
): Promise<Result> {
  if (breaker.isAway) {
    lookAgain()
    return otherwise()
  }
  try {
    const answer = await inTime(ask(redis()), env().redis.timeoutMs)
    if (answer === 'late') throw new Error('Redis is late')
    return answer
  } catch (error) {
    log.warn('redis_away', errorFields(error))
    doWithoutRedis()
    return otherwise()
  }
}

/** Somebody else in this process has waited for Redis in vain. */
export function doWithoutRedis(): void {
  breaker.isAway = true
  breaker.lookAt = Date.now() + BREAK_MS
}

/** Whether Redis answers, asked directly: for the health route. */
export async function redisAnswers(): Promise<boolean> {
  try {
    return (await redis().ping()) === 'PONG'
  } catch {
    return false
  }
}

function lookAgain(): void {
  if (Date.now() < breaker.lookAt) return
  breaker.lookAt = Date.now() + BREAK_MS
  void redisAnswers().then((answers) => {
    if (!answers) return
    breaker.isAway = false
    log.info('redis_back')
  })
}
