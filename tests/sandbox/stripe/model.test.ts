import fc from 'fast-check'
import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { PROFILES } from '../../../sandbox/stripe/chaos/profiles.ts'
import type { RuleInput } from '../../../sandbox/stripe/chaos/rules.ts'
import { admin, advance, localStripe, stripeClient } from './support/local-stripe.ts'

/** The profile of that name. That some answers are slow makes no difference to anything but the time this takes. */
const UNRELIABLE_NETWORK = (PROFILES['unreliable-network'] ?? []).map((rule) =>
  rule.fault === 'before.slow' ? { ...rule, ms: 1 } : rule,
)

const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000)
const DAY = 24 * 60 * 60

const CARDS = [
  'pm_card_visa',
  'pm_card_visa_chargeDeclined',
  'pm_card_refundFail',
  'pm_card_pendingRefund',
  'pm_card_createDispute',
  'pm_card_createDisputeInquiry',
  'pm_card_bypassPending',
]

/** `which` picks one of the few payments that exist by then, so that much happens to each. Amounts are shares of the payment, above 1 on purpose as well. */
const which = fc.nat(2)
const share = fc.constantFrom(0.1, 0.3, 0.5, 1, 1.1)
const command = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pay'), card: fc.constantFrom(...CARDS), manual: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('create') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('confirm'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('capture'), which, share }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel'), which }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('refund'), which, share }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('failRefund'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('dispute'), which, inquiry: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('judge'), which, status: fc.constantFrom('won', 'lost') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('escalate'), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait'), seconds: fc.constantFrom(61, DAY, 8 * DAY) }),
  },
)
type Command = {
  do: string
  which?: number
  share?: number
  card?: string
  manual?: boolean
  inquiry?: boolean
  status?: string
  seconds?: number
}

const AMOUNT = 2000

/** One Stripe, driven by commands; it keeps what was seen on the way. */
class Run {
  readonly stripe: Stripe
  readonly url: string
  readonly intents: string[] = []
  readonly finals = new Map<string, string>()
  #keys = 0

  constructor(url: string) {
    this.url = url
    this.stripe = stripeClient(url, { maxNetworkRetries: 2 })
  }

  async execute(step: Command): Promise<void> {
    const { stripe, url } = this
    const intent = this.intents[(step.which ?? 0) % Math.max(this.intents.length, 1)]
    const amount = Math.round(AMOUNT * (step.share ?? 1))
    switch (step.do) {
      case 'pay':
        return this.#create({
          payment_method: step.card ?? '',
          confirm: true,
          capture_method: step.manual ? 'manual' : 'automatic_async',
        })
      case 'create':
        return this.#create({})
      case 'wait':
        return advance(url, step.seconds ?? 0)
    }
    if (!intent) return
    switch (step.do) {
      case 'confirm':
        return this.#twice((key) =>
          stripe.paymentIntents.confirm(intent, { payment_method: 'pm_card_visa' }, key),
        )
      case 'capture':
        return this.#twice((key) => stripe.paymentIntents.capture(intent, { amount_to_capture: amount }, key))
      case 'cancel':
        return this.#twice((key) => stripe.paymentIntents.cancel(intent, {}, key))
      case 'refund':
        return this.#twice((key) => stripe.refunds.create({ payment_intent: intent, amount }, key))
      case 'failRefund': {
        const { data } = await stripe.refunds.list({ payment_intent: intent })
        if (data[0]) await admin(url, `/refunds/${data[0].id}/fail`, {})
        return
      }
      case 'dispute':
        await admin(url, `/charges/${intent}/dispute`, { inquiry: step.inquiry })
        return
      default: {
        const { data } = await stripe.disputes.list({ payment_intent: intent })
        const body = step.do === 'judge' ? { status: step.status } : {}
        if (data[0])
          await admin(url, `/disputes/${data[0].id}/${step.do === 'judge' ? 'close' : 'escalate'}`, body)
      }
    }
  }

  /** Final is final. */
  async look(): Promise<void> {
    for await (const { id, status } of this.stripe.paymentIntents.list({ limit: 100 })) {
      const before = this.finals.get(id)
      if (before) expect(status, `${id} was ${before}`).toBe(before)
      if (status === 'succeeded' || status === 'canceled') this.finals.set(id, status)
    }
  }

  async #create(params: Partial<Stripe.PaymentIntentCreateParams>): Promise<void> {
    await this.#twice((key) =>
      this.stripe.paymentIntents.create({ amount: AMOUNT, currency: 'usd', ...params }, key),
    )
    const { data } = await this.stripe.paymentIntents.list({ limit: 1 })
    if (data[0] && !this.intents.includes(data[0].id)) this.intents.push(data[0].id)
  }

  /** Everything is asked for twice with one key: the second answer is the first, success or refusal. */
  async #twice(
    call: (key: Stripe.RequestOptions) => Promise<{ id: string; status: string | null }>,
  ): Promise<void> {
    const idempotencyKey = `key-${this.#keys++}`
    const answers: string[] = []
    for (let i = 0; i < 2; i++) {
      const answer = await call({ idempotencyKey }).then(
        ({ id, status }) => `${id} ${status}`,
        (error: Stripe.errors.StripeError) =>
          isAboutTheCall(error) ? `${error.statusCode} ${error.message}` : null,
      )
      if (answer !== null) answers.push(answer)
    }
    expect(new Set(answers).size, answers.join(' / ')).toBeLessThanOrEqual(1)
  }
}

/** Not a fault on purpose on the way. */
function isAboutTheCall({ statusCode, message }: Stripe.errors.StripeError): boolean {
  return statusCode !== undefined && !message.includes('on purpose') && !message.includes('Invalid JSON')
}

async function all<T>(pages: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of pages) found.push(item)
  return found
}
const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0)
const only = { limit: 100 }

async function assertInvariants({ stripe }: Run): Promise<void> {
  const intents = await all(stripe.paymentIntents.list(only))
  const charges = await all(stripe.charges.list(only))
  const refunds = await all(stripe.refunds.list(only))
  const disputes = await all(stripe.disputes.list(only))
  const transactions = await all(stripe.balanceTransactions.list(only))
  const events = (await all(stripe.events.list(only))).reverse()
  const of = (id: string) => events.filter((event) => (event.data.object as { id?: string }).id === id)
  const count = (id: string, type: string) => of(id).filter((event) => event.type === type).length

  for (const charge of charges) {
    const given = refunds.filter((refund) => refund.charge === charge.id && refund.status !== 'failed')
    const money = given.filter(({ balance_transaction }) => balance_transaction !== null)
    expect(sum(money.map(({ amount }) => amount))).toBeLessThanOrEqual(charge.amount_captured)
    expect(charge.amount_refunded).toBe(sum(given.map(({ amount }) => amount)))
    expect(charge.amount_refunded).toBeLessThanOrEqual(charge.amount)
    expect(charge.refunded).toBe(charge.amount_refunded === charge.amount)
    expect(count(charge.id, 'charge.succeeded') + count(charge.id, 'charge.failed')).toBe(1)
    const booked = transactions.filter(({ source, type }) => source === charge.id && type === 'charge')
    expect(booked.length).toBe(charge.balance_transaction === null ? 0 : 1)
  }
  for (const intent of intents) {
    expect(count(intent.id, 'payment_intent.created')).toBe(1)
    expect(count(intent.id, 'payment_intent.succeeded')).toBe(intent.status === 'succeeded' ? 1 : 0)
    expect(count(intent.id, 'payment_intent.canceled')).toBe(intent.status === 'canceled' ? 1 : 0)
    const taken = charges.filter((charge) => charge.payment_intent === intent.id && charge.captured)
    expect(sum(taken.map(({ amount_captured }) => amount_captured))).toBe(intent.amount_received)
  }
  const canceled = new Set(intents.filter(({ status }) => status === 'canceled').map(({ id }) => id))
  for (const charge of charges.filter(({ status }) => status === 'succeeded')) {
    if (canceled.has(String(charge.payment_intent)))
      expect(charge).toMatchObject({ captured: false, refunded: true })
  }
  for (const refund of refunds) {
    expect(count(refund.id, 'refund.created')).toBe(1)
    expect(count(refund.id, 'refund.failed')).toBe(refund.status === 'failed' ? 1 : 0)
    expect(count(refund.id, 'refund.updated')).toBe(count(refund.id, 'charge.refund.updated'))
  }
  for (const dispute of disputes) {
    const closed = ['won', 'lost', 'warning_closed'].includes(dispute.status)
    expect(count(dispute.id, 'charge.dispute.created')).toBe(1)
    expect(count(dispute.id, 'charge.dispute.closed')).toBe(closed ? 1 : 0)
    const moved = dispute.balance_transactions.length
    const told = ['funds_withdrawn', 'funds_reinstated'].map((name) =>
      count(dispute.id, `charge.dispute.${name}`),
    )
    expect(moved).toBe(sum(told))
    if (dispute.status === 'won') expect(sum(dispute.balance_transactions.map(({ net }) => net))).toBe(0)
  }
  // Whatever an object is now, an event has told.
  for (const object of [...intents, ...refunds, ...disputes]) {
    const told = of(object.id).map((event) => JSON.stringify(event.data.object))
    expect(told, `${object.id} ${object.status}`).toContain(JSON.stringify(object))
  }
  const balance = await stripe.balance.retrieve()
  const held = sum([...balance.available, ...balance.pending].map(({ amount }) => amount))
  expect(held).toBe(sum(transactions.map(({ net }) => net)))
  expect(sum(transactions.map(({ amount, fee, net }) => amount - fee - net))).toBe(0)
  const known = new Set([...charges, ...refunds, ...disputes].map(({ id }) => id))
  expect(transactions.every(({ source }) => known.has(String(source)))).toBe(true)
}

async function check(commands: Command[], rules: RuleInput[] | null, seed: string): Promise<void> {
  const local = await localStripe()
  try {
    const run = new Run(local.url)
    if (rules) await admin(local.url, '/chaos', { rules, seed })
    for (const step of [{ do: 'pay', card: 'pm_card_visa' }, ...commands]) {
      await run.execute(step).catch((error: unknown) => {
        if (!rules || !isOnPurpose(error)) throw error
      })
    }
    await admin(local.url, '/chaos', {})
    await run.look()
    await assertInvariants(run)
    await advance(local.url, 20 * DAY)
    await run.look()
    await assertInvariants(run)
  } finally {
    await local.close()
  }
}

/** A list or a retrieval that was hit by a fault; the run goes on without it. */
function isOnPurpose(error: unknown): boolean {
  return error instanceof Error && 'type' in error && String(error.type).startsWith('Stripe')
}

describe('whatever is done in whatever order', () => {
  it(`money, states, keys and events agree (MODEL_SEED=${SEED})`, { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 30 }), (commands) =>
        check(commands, null, ''),
      ),
      { seed: SEED, numRuns: 25, endOnFailure: true },
    )
  })

  it(`they agree on an unreliable network as well (MODEL_SEED=${SEED})`, { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 15 }), fc.string(), (commands, seed) =>
        check(commands, UNRELIABLE_NETWORK, `model ${seed}`),
      ),
      { seed: SEED, numRuns: 4, endOnFailure: true },
    )
  })
})
