import 'server-only'
import { Redis } from '@upstash/redis'
import { env } from '../env'
import { errorFields, log } from '../log'

/** After an outage was seen, do without Redis this long before asking again. */
const BREAK_MS = 10_000

let client: Redis | undefined
let awayUntil = 0

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
 * (300 ms unless REDIS_TIMEOUT_MS says otherwise), those of the next ten seconds nothing.
 */
export async function withRedis<Result>(
  ask: (redis: Redis) => Promise<Result>,
  otherwise: () => Result,
): Promise<Result> {
  if (Date.now() < awayUntil) return otherwise()
  try {
    return await ask(redis())
  } catch (error) {
    log.warn('redis_away', errorFields(error))
    awayUntil = Date.now() + BREAK_MS
    return otherwise()
  }
}

/** Whether Redis answers, asked directly: for the health route. */
export async function redisAnswers(): Promise<boolean> {
  try {
    return (await redis().ping()) === 'PONG'
  } catch {
    return false
  }
}
