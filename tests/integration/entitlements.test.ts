import { createClient } from '@supabase/supabase-js'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { endGraces } from '@/lib/billing/end-graces'
import { AnswerSchema, cachedAnswer, keepAnswer } from '@/lib/billing/entitlement-cache'
import { getEntitlements } from '@/lib/billing/entitlements'
import { callService, closeDatabase } from '@/lib/db/sql'
import { applyEvent } from '@/lib/payments/apply-event'
import { processWide } from '@/lib/process-wide'
import { bearer, customer, newApiKey } from '../support/api-keys'
import {
  invoiceOf,
  manySubscribers,
  PREMIUM,
  type Subscriber,
  subscriptionOf,
} from '../support/billing-stories'
import { adminSql } from '../support/db'
import { newPerson, type Person } from '../support/people'
import { OUTAGES, type RedisFront, startRedisFront } from '../support/redis-front'
import { get } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { voices } from '../support/staff'
import { eventOf } from '../support/stripe-events'
import { asTold } from '../support/told-stories'

const held = vi.hoisted(() => new Map<string, object>())
vi.mock('@/lib/stripe/server', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/stripe/server')>()
  const retrieve = async (id: string) => structuredClone(held.get(id))
  const client = { subscriptions: { retrieve }, invoices: { retrieve } }
  return { ...actual, askStripe: async (ask: (stripe: unknown) => unknown) => await ask(client) }
})

let front: RedisFront
let who: Subscriber

beforeAll(async () => {
  front = await startRedisFront()
  Object.assign(process.env, stack().env, {
    LOG_LEVEL: 'silent',
    UPSTASH_REDIS_REST_URL: front.url,
    // On a busy machine late is no outage.
    REDIS_TIMEOUT_MS: '2000',
  })
})
afterAll(async () => {
  await closeDatabase()
  await front.close()
})
beforeEach(async () => {
  const [somebody] = await manySubscribers(1)
  if (!somebody) throw new Error('nobody came')
  who = somebody
})

type Fields = Record<string, unknown>

/** Stripe has these from now on, and tells of the last one. */
async function stripeSays(type: string, objects: Fields[], more: Fields = {}): Promise<void> {
  for (const object of objects) held.set(String(object.id), object)
  const event = eventOf(type, objects.at(-1) ?? {}, more)
  await applyEvent({ ...(await asTold(event as never)), verifiedWith: 'current', source: 'webhook' })
}

const subscribed = () =>
  stripeSays('customer.subscription.created', [
    invoiceOf(who, who.first, 'paid', 1),
    subscriptionOf(who, 'active'),
  ])

const NOW = () => Math.floor(Date.now() / 1000)

/** The renewal could not be paid, so many times; the last time then. */
async function renewalFails(tries: number, at: number): Promise<void> {
  const invoice = invoiceOf(who, who.renewal, 'open', tries)
  held.set(who.subscription, subscriptionOf(who, 'past_due', { latest_invoice: who.renewal }))
  await stripeSays('invoice.payment_failed', [invoice], { created: at })
  await stripeSays('customer.subscription.updated', [
    subscriptionOf(who, 'past_due', { latest_invoice: who.renewal }),
  ])
}

async function grace(): Promise<{ state: string | null; endsAt: number }> {
  const [row] = await adminSql()`select grace, extract(epoch from grace_ends_at)::bigint::int as at
    from public.invoices where stripe_invoice_id = ${who.renewal}`
  return { state: row?.grace ?? null, endsAt: Number(row?.at) }
}

async function gracesToldOf(): Promise<string[]> {
  const rows =
    await adminSql()`select a.action from private.audit_log a join public.invoices i on i.id::text = a.subject_id
    where i.stripe_invoice_id = ${who.renewal} and a.action like 'grace.%' order by a.id`
  return rows.map((row) => String(row.action))
}

/** As somebody would who can write to Redis. */
const poison = (value: string) =>
  fetch(stack().env.UPSTASH_REDIS_REST_URL ?? '', {
    method: 'POST',
    headers: { authorization: `Bearer ${stack().env.UPSTASH_REDIS_REST_TOKEN}` },
    body: JSON.stringify(['SET', keyOf(who.customerId), value]),
  })
const keyOf = (customerId: string) => `entitlements:sandbox:${customerId}`
const inRedis = async (customerId: string): Promise<string> => {
  const response = await fetch(stack().env.UPSTASH_REDIS_REST_URL ?? '', {
    method: 'POST',
    headers: { authorization: `Bearer ${stack().env.UPSTASH_REDIS_REST_TOKEN}` },
    body: JSON.stringify(['GET', keyOf(customerId)]),
  })
  return String(((await response.json()) as { result: unknown }).result)
}

const loaded = async () =>
  AnswerSchema.parse(await callService('entitlements', { p_livemode: false, p_customer_id: who.customerId }))

describe('what a person may use', () => {
  it('is nothing before, a plan while it runs, and nothing afterwards', async () => {
    expect(await getEntitlements(who.customerId)).toEqual([])
    await subscribed()
    expect(await getEntitlements(who.customerId)).toMatchObject([
      {
        group: 'membership',
        tier: 'premium',
        plan: 'Premium',
        planId: PREMIUM.planId,
        state: 'active',
        until: null,
      },
    ])

    await stripeSays('customer.subscription.deleted', [subscriptionOf(who, 'canceled', { ended_at: NOW() })])

    expect(await getEntitlements(who.customerId)).toEqual([])
  })

  it('is answered from the cache once the database was asked, and signed there', async () => {
    await subscribed()
    const first = await getEntitlements(who.customerId)

    expect(await inRedis(who.customerId)).toMatch(/^v1\.[\w-]+\.[\w-]{43}$/)
    expect((await cachedAnswer(who.customerId))?.entitlements).toEqual(first)
  })

  it('is the same while Redis is away, in whatever way', { timeout: 30_000 }, async () => {
    await subscribed()
    const usual = await getEntitlements(who.customerId)
    expect(usual).toHaveLength(1)

    for (const fault of OUTAGES) {
      front.setFault(fault)
      // As if the last outage were long over: this one is met by itself.
      processWide('redis-breaker', () => ({ isAway: false })).isAway = false
      expect(await getEntitlements(who.customerId), fault).toEqual(usual)
      expect(await getEntitlements(who.customerId), fault).toEqual(usual)
    }
    // What changes meanwhile is true at once, too.
    await stripeSays('customer.subscription.deleted', [subscriptionOf(who, 'canceled', { ended_at: NOW() })])
    expect(await getEntitlements(who.customerId)).toEqual([])
    front.setFault('none')
    await expect
      .poll(() => getEntitlements(who.customerId).then(() => cachedAnswer(who.customerId)), {
        timeout: 10_000,
      })
      .not.toBeNull()
  })

  it('is never what a poisoned cache says', async () => {
    const [other] = await manySubscribers(1)
    const elite = {
      group: 'membership',
      tier: 'elite',
      planId: PREMIUM.planId,
      plan: 'Elite',
      state: 'active',
    }
    const answer = {
      customerId: who.customerId,
      version: 99,
      goodFor: 300,
      entitlements: [{ ...elite, subscriptionId: PREMIUM.planId, until: null }],
    }
    const body = Buffer.from(JSON.stringify({ answer, goodUntil: Date.now() + 300_000 })).toString(
      'base64url',
    )
    await keepAnswer({ ...AnswerSchema.parse(answer), customerId: other?.customerId ?? '' })
    const ofSomebodyElse = await inRedis(other?.customerId ?? '')
    expect(ofSomebodyElse).toMatch(/^v1\./)

    const lies = [
      JSON.stringify(answer),
      JSON.stringify([elite]),
      'elite',
      'true',
      '{"entitlements":',
      body,
      `v1.${body}`,
      `v1.${body}.`,
      `v1.${body}.${'A'.repeat(43)}`,
      `v1.${body}.${ofSomebodyElse.split('.')[2]}`,
      ofSomebodyElse,
    ]
    for (const lie of lies) {
      await poison(lie)
      expect(await getEntitlements(who.customerId), lie).toEqual([])
    }
  })

  it('is not what a slow reader read before a change', async () => {
    await subscribed()
    const slow = await loaded()
    expect(slow.entitlements).toHaveLength(1)
    await stripeSays('customer.subscription.deleted', [subscriptionOf(who, 'canceled', { ended_at: NOW() })])

    await keepAnswer(slow)

    expect(await cachedAnswer(who.customerId)).toBeNull()
    expect(await getEntitlements(who.customerId)).toEqual([])
    // Nor after somebody quicker has kept the new answer.
    await keepAnswer(slow)
    expect((await cachedAnswer(who.customerId))?.entitlements).toEqual([])
  })

  it('is kept for five minutes at most, and not beyond a grace', async () => {
    await subscribed()
    expect((await loaded()).goodFor).toBe(300)
    await renewalFails(1, NOW())
    const graceEndsIn = (seconds: number) => adminSql()`
      update public.invoices set grace_ends_at = now() + make_interval(secs => ${seconds}) where stripe_invoice_id = ${who.renewal}`
    await graceEndsIn(60)
    const { goodFor } = await loaded()
    expect(goodFor).toBeLessThan(60)
    expect(goodFor).toBeGreaterThan(30)
    expect(await getEntitlements(who.customerId)).toMatchObject([{ state: 'grace' }])
    expect(await cachedAnswer(who.customerId)).not.toBeNull()

    // A minute later, for our clock and for the database's.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 })
    try {
      await graceEndsIn(0)

      expect(await cachedAnswer(who.customerId)).toBeNull()
      expect(await getEntitlements(who.customerId)).toEqual([])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('grace', () => {
  it('ends 24 hours after the first failure, however often it fails again', async () => {
    await subscribed()
    const first = NOW() - 3600
    for (const [tries, at] of [
      [1, first],
      [2, first + 600],
      [3, first + 1200],
      [4, first + 3000],
    ] as const) {
      await renewalFails(tries, at)
      expect(await grace()).toEqual({ state: 'running', endsAt: first + 86_400 })
    }

    expect(await getEntitlements(who.customerId)).toMatchObject([{ tier: 'premium', state: 'grace' }])
    expect(await gracesToldOf()).toEqual(['grace.started'])
  })

  it('is cleared by the payment, and not begun by a failure that is told of after it', async () => {
    await subscribed()
    await renewalFails(1, NOW() - 60)
    held.set(who.subscription, subscriptionOf(who, 'active', { latest_invoice: who.renewal }))
    await stripeSays('invoice.paid', [invoiceOf(who, who.renewal, 'paid', 2)])
    // Nobody is without access until the other event is there.
    expect(await getEntitlements(who.customerId)).toMatchObject([{ state: 'active', until: null }])
    await stripeSays('customer.subscription.updated', [
      subscriptionOf(who, 'active', { latest_invoice: who.renewal }),
    ])

    await stripeSays('invoice.payment_failed', [invoiceOf(who, who.renewal, 'paid', 2)], {
      created: NOW() - 30,
    })

    expect((await grace()).state).toBe('cleared')
    expect(await gracesToldOf()).toEqual(['grace.started', 'grace.cleared'])
    expect(await getEntitlements(who.customerId)).toMatchObject([{ state: 'active', until: null }])

    const [late] = await manySubscribers(1)
    who = late ?? who
    await subscribed()
    await stripeSays('invoice.paid', [invoiceOf(who, who.renewal, 'paid', 2)])
    await stripeSays('invoice.payment_failed', [invoiceOf(who, who.renewal, 'paid', 2)], {
      created: NOW() - 30,
    })
    expect((await grace()).state).toBeNull()
  })

  it('takes access with it when it is over, and the job says so once', async () => {
    await subscribed()
    await renewalFails(1, NOW() - 86_400)
    expect(await getEntitlements(who.customerId)).toEqual([])
    expect((await grace()).state).toBe('running')

    await endGraces()
    await endGraces()

    expect((await grace()).state).toBe('ended')
    expect(await gracesToldOf()).toEqual(['grace.started', 'grace.ended'])
    await renewalFails(2, NOW())
    expect((await grace()).state).toBe('ended')
    expect(await getEntitlements(who.customerId)).toEqual([])
    held.set(who.subscription, subscriptionOf(who, 'active', { latest_invoice: who.renewal }))
    await stripeSays('invoice.paid', [invoiceOf(who, who.renewal, 'paid', 3)])
    await stripeSays('customer.subscription.updated', [
      subscriptionOf(who, 'active', { latest_invoice: who.renewal }),
    ])
    expect(await getEntitlements(who.customerId)).toMatchObject([{ state: 'active' }])
  })

  it('is not for a first invoice: nothing was theirs yet', async () => {
    await stripeSays('customer.subscription.created', [
      invoiceOf(who, who.first, 'open', 1),
      subscriptionOf(who, 'incomplete'),
    ])

    expect(await getEntitlements(who.customerId)).toEqual([])
    const [row] = await adminSql()`select grace from public.invoices where stripe_invoice_id = ${who.first}`
    expect(row?.grace).toBeNull()
  })
})

describe('who is told', () => {
  let ada: Person
  let bob: Person

  beforeAll(async () => {
    ;[ada, bob] = await Promise.all([newPerson(), newPerson()])
  })

  it('a person sees their own subscriptions and invoices, and nobody else does (Z3)', async () => {
    await subscribed()
    await adminSql()`update public.customers set user_id = ${ada.id} where id = ${who.customerId}`
    const { env } = stack()
    const as = (accessToken: string | null) =>
      createClient(env.SUPABASE_URL ?? '', env.SUPABASE_PUBLISHABLE_KEY ?? '', {
        accessToken: async () => accessToken,
      })
    const ask = async (client: ReturnType<typeof as>) => {
      const subscriptions = await client.from('subscriptions').select('status')
      const invoices = await client.from('invoices').select('status')
      return [subscriptions.data, invoices.data]
    }

    expect(await ask(as(ada.accessToken))).toEqual([[{ status: 'active' }], [{ status: 'paid' }]])
    expect(await ask(as(bob.accessToken))).toEqual([[], []])
    expect(await ask(as(null))).toEqual([null, null])
  })

  it('another system asks by its key, with the right to', async () => {
    const { admin } = await voices()
    const [reads, orders] = [
      await newApiKey(admin, { scopes: ['entitlements:read'] }),
      await newApiKey(admin, { scopes: ['orders:read'] }),
    ]
    const { customerId } = await customer(bob)
    const ask = (secret: string, query: string) =>
      get(`/api/billing/entitlements${query}`, null, { headers: bearer(secret) })

    const right = await ask(reads.secret, `?customerId=${customerId}`)
    expect([right.status, await right.json()]).toEqual([200, { customerId, entitlements: [] }])
    await subscribed()
    await adminSql()`update public.customers set user_id = ${(await newPerson()).id} where id = ${who.customerId}`
    const plan = await ask(reads.secret, `?customerId=${who.customerId}`)
    expect(await plan.json()).toEqual({
      customerId: who.customerId,
      entitlements: await getEntitlements(who.customerId),
    })
    const statuses = await Promise.all([
      ask(orders.secret, `?customerId=${customerId}`),
      ask('pwk_nobody', `?customerId=${customerId}`),
      ask(reads.secret, `?customerId=${PREMIUM.planId}`),
      ask(reads.secret, '?customerId=1'),
      ask(reads.secret, ''),
      ask(reads.secret, `?customerId=${customerId}&email=a%40example.test`),
    ])
    expect(statuses.map(({ status }) => status)).toEqual([403, 401, 404, 400, 400, 400])
  })
})
