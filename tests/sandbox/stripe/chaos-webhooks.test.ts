import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import type { DeliveryView } from '../../../sandbox/stripe/admin/deliveries.ts'
import type { RuleInput } from '../../../sandbox/stripe/chaos/rules.ts'
import { completeChallenge } from '../../../sandbox/stripe/payments/challenge.ts'
import {
  admin,
  advance,
  asSecret,
  eventually,
  localStripe,
  type Received,
  receiver,
  send,
} from './support/local-stripe.ts'

const HOUR_MS = 60 * 60 * 1000

/** A Stripe of its own with these faults and an endpoint that takes only what is signed well. */
async function troubled(...rules: RuleInput[]) {
  const local = await localStripe({ retryDelaysMs: [20, 20, 20] })
  const hook = await receiver()
  const { secret } = await local.stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['*'] })
  const read = ({ body, headers }: Received): Stripe.Event | null => {
    try {
      return local.stripe.webhooks.constructEvent(body, String(headers['stripe-signature']), secret ?? '')
    } catch {
      return null
    }
  }
  hook.answer = (delivery) => ({ status: read(delivery) ? 200 : 400 })
  await admin(local.url, '/chaos', { seed: 'test', rules })
  const deliveries = async () => (await admin(local.url, '/deliveries')).body.deliveries as DeliveryView[]
  const quiet = () =>
    eventually('nothing is waiting', async () => {
      const all = await deliveries()
      return all.length > 0 && all.every(({ state }) => state !== 'pending') && all
    })
  /** The clock goes from one to the next, so that the machine's pace has no say in their order. */
  const oneByOne = async () => {
    const due = async () => (await deliveries()).flatMap(({ nextAttemptAt }) => nextAttemptAt ?? [])
    for (let waiting = await due(); waiting.length > 0; waiting = await due()) {
      const { length } = waiting
      const leftMs = Math.min(...waiting) - local.store.clock.nowMs()
      await advance(local.url, Math.max(Math.ceil(leftMs / 1000), 0))
      await eventually('the next one is delivered', async () => (await due()).length < length)
    }
  }
  const accepted = () => hook.received.map(read).filter((event) => event !== null)
  return { ...local, hook, read, quiet, oneByOne, accepted }
}

describe('webhooks go wrong', () => {
  it('stripe.W10 duplicate: the same event arrives again', async () => {
    const { stripe, quiet, accepted } = await troubled({ fault: 'webhook.duplicate', copies: 2, ms: 10 })
    await stripe.customers.create()
    await quiet()

    const ids = accepted().map(({ id }) => id)
    expect(ids).toHaveLength(3)
    expect(new Set(ids).size).toBe(1)
  })

  it('stripe.W10 twin: two Event objects tell of one change', async () => {
    const { stripe, quiet, accepted } = await troubled({ fault: 'webhook.twin' })
    const customer = await stripe.customers.create()
    await quiet()

    const events = accepted()
    expect(new Set(events.map(({ id }) => id)).size).toBe(2)
    expect(events.map((event) => [event.type, (event.data.object as { id?: string }).id])).toEqual([
      ['customer.created', customer.id],
      ['customer.created', customer.id],
    ])
  })

  it('stripe.E2 created last: the event of the creation arrives after the others', async () => {
    const { stripe, url, quiet, accepted } = await troubled()
    await admin(url, '/chaos', { profile: 'created-last' })
    await stripe.paymentIntents.create({
      amount: 900,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
    })
    await quiet()

    expect(
      accepted()
        .map(({ type }) => type)
        .at(-1),
    ).toBe('payment_intent.created')
  })

  it('reorder: what happened first does not arrive first, and the seed decides how', async () => {
    const run = async () => {
      const { stripe, oneByOne, accepted } = await troubled({ fault: 'webhook.reorder', ms: HOUR_MS })
      for (let i = 0; i < 5; i++) await stripe.customers.create({ name: String(i) })
      await oneByOne()
      return accepted().map((event) => (event.data.object as Stripe.Customer).name)
    }
    const [one, same] = await Promise.all([run(), run()])

    expect(one).not.toEqual(['0', '1', '2', '3', '4'])
    expect(same).toEqual(one)
  })

  it('delay: it arrives later', async () => {
    const { stripe, quiet, hook } = await troubled({ fault: 'webhook.delay', ms: 300 })
    const began = Date.now()
    await stripe.customers.create()
    await quiet()

    expect((hook.received[0]?.at ?? 0) - began).toBeGreaterThanOrEqual(290)
  })

  it('drop the first: a retry makes up for it', async () => {
    const { stripe, quiet, hook } = await troubled({ fault: 'webhook.dropFirst', attempts: 2 })
    await stripe.customers.create()
    const [delivery] = await quiet()

    expect(delivery).toMatchObject({ state: 'delivered' })
    expect(delivery?.attempts.map(({ error }) => error)).toEqual(['lost on purpose', 'lost on purpose', null])
    expect(hook.received).toHaveLength(1)
  })

  it('stripe.W14 drop for ever: only the list of events makes up for it', async () => {
    const { stripe, quiet, hook } = await troubled({ fault: 'webhook.dropForever', count: 1 })
    const { id } = await stripe.customers.create()
    await quiet()
    const { data } = await stripe.events.list({ delivery_success: false })

    expect(hook.received).toEqual([])
    expect(data).toMatchObject([{ type: 'customer.created', data: { object: { id } }, pending_webhooks: 1 }])
  })

  it.each([
    'webhook.badSignature',
    'webhook.wrongSecret',
    'webhook.staleTimestamp',
    'webhook.truncated',
  ] as const)('%s is refused by constructEvent, and the retry is taken', async (fault) => {
    const { stripe, quiet, hook, accepted } = await troubled({ fault })
    await stripe.customers.create()
    await quiet()

    expect(hook.received).toHaveLength(2)
    expect(accepted()).toMatchObject([{ type: 'customer.created' }])
  })

  it('stripe.W3 a stale time is well signed but too old', async () => {
    const { stripe, quiet, hook } = await troubled({ fault: 'webhook.staleTimestamp' })
    await stripe.customers.create()
    await quiet()
    const time = Number(/t=(\d+)/.exec(String(hook.received[0]?.headers['stripe-signature']))?.[1])

    expect(Date.now() / 1000 - time).toBeGreaterThan(300)
  })

  it('unknown type: an event nobody has heard of comes along', async () => {
    const { stripe, quiet, accepted } = await troubled({ fault: 'webhook.unknownType' })
    await stripe.customers.create()
    await quiet()

    expect(
      accepted()
        .map(({ type }) => String(type))
        .sort(),
    ).toEqual(['customer.created', 'customer.unheard_of'])
  })

  it('older version: the event names another version than the SDK was made for', async () => {
    const { stripe, quiet, accepted } = await troubled({ fault: 'webhook.olderVersion' })
    await stripe.customers.create()
    await quiet()

    expect(accepted()).toMatchObject([{ api_version: '2020-08-27', type: 'customer.created' }])
  })

  it('second endpoint: the same event comes once more under a secret nobody knows', async () => {
    const { stripe, quiet, hook, accepted } = await troubled({ fault: 'webhook.secondEndpoint' })
    await stripe.customers.create()
    await quiet()

    expect(accepted()).toHaveLength(1)
    expect(new Set(hook.received.map(({ body }) => JSON.parse(body).id)).size).toBe(1)
    expect(hook.received.length).toBeGreaterThan(1)
  })

  it('rules match by type, and the header concerns the events of its call', async () => {
    const { stripe, url, quiet, accepted } = await troubled({ fault: 'webhook.twin', eventType: 'charge.*' })
    await stripe.paymentIntents.create({
      amount: 900,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
    })
    await send(url, '/v1/customers', { body: '', headers: { ...asSecret, 'x-local-chaos': 'webhook.twin' } })
    await quiet()

    expect(
      accepted()
        .map(({ type }) => type)
        .sort(),
    ).toEqual([
      'charge.succeeded',
      'charge.succeeded',
      'customer.created',
      'customer.created',
      'payment_intent.created',
      'payment_intent.succeeded',
    ])
  })

  it('late: the webhook comes after the customer is back on the shop’s page', async () => {
    const { stripe, url, hook, quiet } = await troubled()
    await admin(url, '/chaos', { profile: 'late-webhooks' })
    await stripe.customers.create()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const atReturn = hook.received.length
    await advance(url, 15)
    await quiet()

    expect(atReturn).toBe(0)
    expect(hook.received).toHaveLength(1)
  })
})

describe('money goes wrong', () => {
  const pay = (stripe: Stripe, payment_method = 'pm_card_visa') =>
    stripe.paymentIntents.create({
      amount: 900,
      currency: 'usd',
      payment_method,
      confirm: true,
      use_stripe_sdk: true,
    })

  it('a refund of any card can fail later', async () => {
    const { stripe, url } = await troubled({ fault: 'domain.refundFails', count: 1 })
    const refunds = []
    for (let i = 0; i < 2; i++) {
      const { id } = await pay(stripe)
      refunds.push(await stripe.refunds.create({ payment_intent: id }))
    }
    await advance(url, 60)
    const after = await Promise.all(refunds.map(({ id }) => stripe.refunds.retrieve(id)))

    expect(refunds.map(({ status }) => status)).toEqual(['succeeded', 'succeeded'])
    expect(after.map(({ status }) => status)).toEqual(['failed', 'succeeded'])
  })

  it('a dispute can follow a refund', async () => {
    const { stripe, url } = await troubled({ fault: 'domain.disputeAfterRefund' })
    const { id } = await pay(stripe)
    await stripe.refunds.create({ payment_intent: id })
    await advance(url, 150)

    expect((await stripe.disputes.list({ payment_intent: id })).data).toMatchObject([
      { amount: 900, reason: 'credit_not_processed', status: 'needs_response' },
    ])
  })

  it('a challenge can be abandoned: its answer changes nothing, another try does', async () => {
    const { stripe, store } = await troubled({ fault: 'domain.challengeAbandoned', count: 1 })
    const waiting = await pay(stripe, 'pm_card_threeDSecure2Required')
    const source = (waiting.next_action?.use_stripe_sdk as { source?: string } | undefined)?.source ?? ''
    completeChallenge(store, source, 'pass')
    const still = await stripe.paymentIntents.retrieve(waiting.id)
    const paid = await stripe.paymentIntents.confirm(waiting.id, { payment_method: 'pm_card_visa' })

    expect(still).toMatchObject({ status: 'requires_action', latest_charge: null })
    expect(paid.status).toBe('succeeded')
  })

  it('the clock can jump', async () => {
    const { stripe, url } = await troubled({
      fault: 'domain.clockJump',
      path: '/v1/customers',
      seconds: 86_400,
      count: 1,
    })
    const first = await stripe.customers.create()
    const second = await stripe.customers.create()

    expect(second.created - first.created).toBeGreaterThanOrEqual(86_400)
    // Jumping takes its own moment, which is part of the day.
    expect((await admin(url, '/clock')).body.advancedSeconds).toBeCloseTo(86_400, -1)
  })
})
