import { randomUUID } from 'node:crypto'
import { Redis } from '@upstash/redis'
import postgres from 'postgres'
import { compared, inTurns, perSecond, withProviders } from './side-by-side.ts'

const EVENTS = 600
const WORKERS = 8
const ROUNDS = 5

type Event = ReturnType<typeof paidEvent>
type Apply = (event: Event) => Promise<void>

/**
 * What the primary key and row locks of the inbox cost beside the usual marker and lock in Redis, in front of the same
 * function: for events that are new, and for the same ones again.
 */
export async function webhookDedupe(): Promise<string[]> {
  return await withProviders(['postgres', 'upstash'], async ({ env }) => {
    const sql = postgres(env.DATABASE_URL ?? '', { max: WORKERS, prepare: false, onnotice: () => {} })
    const redis = new Redis({
      url: env.UPSTASH_REDIS_REST_URL,
      token: env.UPSTASH_REDIS_REST_TOKEN,
      enableTelemetry: false,
    })
    const alone: Apply = async (event) => {
      const facts = sql.json(event)
      await sql`select service.apply_event(p_event => ${facts}, p_payload_hash => 'bench', p_verified_with => 'current',
        p_source => 'webhook', p_livemode => false, p_account => null, p_api_version => 'bench')`
    }
    const behindRedis = withMarkerAndLock(redis, alone)

    const heard = { alone: [] as Event[], behindRedis: [] as Event[] }
    const fresh = (key: keyof typeof heard, apply: Apply) => () => {
      const events = Array.from({ length: EVENTS }, paidEvent)
      heard[key] = events
      return perSecond(EVENTS, WORKERS, (n) => apply(events[n] ?? paidEvent()))
    }
    const again = (key: keyof typeof heard, apply: Apply) => () =>
      perSecond(EVENTS, WORKERS, (n) => apply(heard[key][n] ?? paidEvent()))

    const first = await inTurns(ROUNDS, [fresh('alone', alone), fresh('behindRedis', behindRedis)])
    const repeated = await inTurns(ROUNDS, [again('alone', alone), again('behindRedis', behindRedis)])
    await sql.end()
    return [
      `${''.padEnd(34)} ${'Postgres'.padStart(9)}   ${'Redis too'.padStart(9)}`,
      compared('events that are new', ...first),
      compared('the same events again', ...repeated),
    ]
  })
}

/** As it is often built, with as few trips as it can have: done already? locked? apply, remember for a day and unlock. */
function withMarkerAndLock(redis: Redis, apply: Apply): Apply {
  return async (event) => {
    const [marker, lock] = [`event:${event.id}`, `lock:${event.object.id}`]
    if ((await redis.get(marker)) !== null) return
    if ((await redis.set(lock, '1', { nx: true, px: 10_000 })) === null)
      throw new Error('each event of this bench is about an object of its own')
    await apply(event)
    await redis.pipeline().set(marker, '1', { ex: 86_400 }).del(lock).exec()
  }
}

/** A payment made in the dashboard: final, so it applies from the event, with its row, ledger and audit. */
function paidEvent() {
  const id = randomUUID().replaceAll('-', '')
  return {
    id: `evt_${id}`,
    type: 'payment_intent.succeeded',
    created: Math.floor(Date.now() / 1000),
    livemode: false,
    api_version: 'bench',
    account: null,
    object: {
      object: 'payment_intent',
      id: `pi_${id}`,
      status: 'succeeded',
      amount: 2400,
      amount_received: 2400,
      currency: 'eur',
      customer: null,
      metadata: {},
      latest_charge: `ch_${id}`,
      last_payment_error: null,
    },
  }
}
