import 'server-only'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { env } from '../env'
import { withRedis } from '../redis/client'

/** Longer than anybody takes who has read the database before a change and would keep what it said after it. */
const FLOOR_SECONDS = 60 * 60

/** Keep an answer unless a newer one is known of. */
const KEEP = `local floor = tonumber(redis.call('GET', KEYS[2]) or '0')
if tonumber(ARGV[2]) < floor then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
return 1`
/** From now on only answers of this version or a later one count. */
const FORGET = `local floor = tonumber(redis.call('GET', KEYS[2]) or '0')
if tonumber(ARGV[1]) > floor then redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2]) end
redis.call('DEL', KEYS[1])
return 1`

const Entitlement = z.strictObject({
  group: z.string(),
  tier: z.enum(['basic', 'premium', 'exclusive', 'elite']),
  planId: z.uuid(),
  plan: z.string(),
  subscriptionId: z.uuid(),
  /** `grace`: a payment is owed, and it is theirs no longer than `until`. */
  state: z.enum(['active', 'grace']),
  until: z.string().nullable(),
})
export type Entitlement = z.infer<typeof Entitlement>

export const AnswerSchema = z.strictObject({
  customerId: z.uuid(),
  /** Of what the person may use, when this was true. */
  version: z.number().int().min(0),
  /** Seconds. */
  goodFor: z.number().int().max(300),
  entitlements: z.array(Entitlement),
})
export type Answer = z.infer<typeof AnswerSchema>

const Kept = z.strictObject({ answer: AnswerSchema, goodUntil: z.number() })

/** An answer that still holds, and that a server of ours has put there for this customer; anything else is none. */
export async function cachedAnswer(customerId: string): Promise<Answer | null> {
  return await withRedis(
    async (redis) => {
      const [kept, floor] = await redis.mget<unknown[]>(...keysOf(customerId))
      return typeof kept === 'string' ? read(kept, customerId, Number(floor ?? 0)) : null
    },
    () => null,
  )
}

export async function keepAnswer(answer: Answer): Promise<void> {
  if (answer.goodFor < 1) return
  const text = write(answer)
  await withRedis(
    async (redis) => {
      await redis.eval(KEEP, keysOf(answer.customerId), [text, answer.version, answer.goodFor])
    },
    () => undefined,
  )
}

/** What this person may use has changed. While Redis is away, what it has kept holds for its five minutes at most. */
export async function forgetAnswer({ customerId, version }: Changed): Promise<void> {
  await withRedis(
    async (redis) => {
      await redis.eval(FORGET, keysOf(customerId), [version, FLOOR_SECONDS])
    },
    () => undefined,
  )
}

export type Changed = z.infer<typeof Changed>
export const Changed = z.object({ customerId: z.uuid(), version: z.number().int() })

function keysOf(customerId: string): [answer: string, floor: string] {
  const key = `entitlements:${env().mode}:${customerId}`
  return [key, `${key}:floor`]
}

/** Signed: whoever can write to Redis cannot give anybody anything. */
function write(answer: Answer): string {
  const kept: z.infer<typeof Kept> = { answer, goodUntil: Date.now() + answer.goodFor * 1000 }
  const body = Buffer.from(JSON.stringify(kept)).toString('base64url')
  return `v1.${body}.${signatureOf(body).toString('base64url')}`
}

function read(text: string, customerId: string, floor: number): Answer | null {
  const [, body = '', signature = ''] = /^v1\.([\w-]+)\.([\w-]{43})$/.exec(text) ?? []
  if (!body || !timingSafeEqual(signatureOf(body), Buffer.from(signature, 'base64url'))) return null
  const kept = Kept.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()))
  if (!kept.success) return null
  const { answer, goodUntil } = kept.data
  const holds = answer.customerId === customerId && answer.version >= floor && goodUntil > Date.now()
  return holds ? answer : null
}

function signatureOf(body: string): Buffer {
  const key = createHmac('sha256', env().stripe.secretKey).update('entitlements in the cache').digest()
  return createHmac('sha256', key).update(body).digest()
}
