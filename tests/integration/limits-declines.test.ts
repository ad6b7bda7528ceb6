import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { type EdgeServer, startEdgeServer } from '../support/edge-server'
import {
  age,
  codesOf,
  confirm,
  decisionsOf,
  limitsAsTheyAre,
  openAll,
  setLimit,
  started,
  statusOf,
} from '../support/limits'
import { newStaff, until } from '../support/paid'
import { newOrder, newUserRow, openedPayment } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { chargeOf, eventOf, intentOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'

const { env, serverUrls } = stack()
const [server] = serverUrls as [string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

let admin: Person
let edge: EdgeServer
let putBack: () => Promise<void>

beforeAll(async () => {
  putBack = await limitsAsTheyAre()
  admin = await newStaff('admin')
  edge = await startEdgeServer()
})
afterEach(() => putBack())
afterAll(() => edge?.stop())

const atEdge = () => ({ server: edge.url })

const DECLINED = 'pm_card_visa_chargeDeclined'

async function declined(intentId: string, times: number): Promise<void> {
  for (let n = 0; n < times; n++) expect(await confirm(intentId, DECLINED)).toBe('card_declined')
}

const failuresOf = async (userId: string) => {
  const [row] = await adminSql()`
    select count(*)::int as n from private.payment_attempts a join public.customers c on c.id = a.customer_id
    where c.user_id = ${userId} and a.outcome = 'failed'`
  return Number(row?.n)
}

/** A payment of somebody new with a made-up PaymentIntent, for failures that are only told of. */
async function linkedPayment(addressHash: string | null = null) {
  const payment = await openedPayment()
  await adminSql()`update public.payments set stripe_payment_intent_id = ${payment.intentId}, address_hash = ${addressHash},
    status = 'requires_payment_method' where id = ${payment.paymentId}`
  return payment
}

function tellOfDecline(payment: Awaited<ReturnType<typeof linkedPayment>>, fingerprint: string) {
  const charge = chargeOf(payment, 'failed', {
    id: `ch_${randomUUID()}`,
    payment_method_details: { type: 'card', card: { brand: 'visa', last4: '0002', fingerprint } },
  })
  return postEvent(server, eventOf('charge.failed', charge), { secret })
}

describe('declines', () => {
  it('at the limit inside one PaymentIntent cancel it, and its customer waits (F3, F4)', async () => {
    const person = await newPerson()
    const { paymentId, intentId, orderId } = await started(person)
    const spare = await newOrder(person.id)

    await declined(intentId, 4)
    await until(async () => (await failuresOf(person.id)) === 4)
    expect(await statusOf(paymentId)).toBe('requires_payment_method')
    await declined(intentId, 1)
    await until(async () => (await statusOf(paymentId)) === 'canceled')
    const stripeBefore = edge.stripe.passedOn()
    const answers = [
      await startPayment(person, spare, atEdge()),
      await startPayment(person, orderId, atEdge()),
    ]

    expect(await confirm(intentId, 'pm_card_visa')).toBe('payment_intent_unexpected_state')
    expect(await decisionsOf(paymentId)).toEqual([
      { detail: { decision: 'cancel', reason: 'too_many_failures' } },
    ])
    for (const answer of answers) {
      expect(answer.status).toBe(429)
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(3500)
      expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(3600)
      const { error } = await answer.json()
      expect(error.code).toBe('too_many_failures')
      expect(error.message).not.toMatch(/\d|!|fraud/)
    }
    expect(edge.stripe.passedOn()).toBe(stripeBefore)

    await age(person.id, 3601)
    expect((await startPayment(person, spare)).status).toBe(201)
  })

  it('count over all payments of a customer: after five in an hour none is opened, and one more ends each that is (F4)', async () => {
    const person = await newPerson()
    const [one, two] = [await started(person), await started(person)]

    await declined(one.intentId, 3)
    await declined(two.intentId, 2)
    await until(async () => (await failuresOf(person.id)) === 5)
    const refused = await startPayment(person, await newOrder(person.id))
    for (const { intentId } of [one, two]) await confirm(intentId, DECLINED)
    for (const { paymentId } of [one, two])
      await until(async () => (await statusOf(paymentId)) === 'canceled')

    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ error: { code: 'too_many_failures' } })
  })

  it('count once, however often they are told of', async () => {
    const payment = await linkedPayment()
    const event = eventOf('charge.failed', chargeOf(payment, 'failed'))

    for (let n = 0; n < 6; n++) await postEvent(server, event, { secret })
    for (let n = 0; n < 6; n++)
      await postEvent(server, eventOf('charge.failed', chargeOf(payment, 'failed')), { secret })

    expect(await failuresOf(payment.userId)).toBe(1)
    expect(await decisionsOf(payment.paymentId)).toEqual([])
  })

  it('count per card over all customers, and not for those with another card (F3)', async () => {
    await setLimit(admin, 'failures_card', { value: 4, windowSeconds: 60 })
    const [card, other] = [randomUUID(), randomUUID()]
    const payments = [await linkedPayment(), await linkedPayment(), await linkedPayment()] as const
    const [ada, bob, cat] = payments

    for (const payment of [ada, bob, ada]) await tellOfDecline(payment, card)
    await tellOfDecline(cat, other)
    const before = await openAll(bob.userId, [await newOrder(bob.userId)])
    await tellOfDecline(bob, card)
    const after = await Promise.all(
      payments.map(async ({ userId }) => codesOf(await openAll(userId, [await newOrder(userId)]))),
    )

    expect(codesOf(before)).toEqual(['opened'])
    expect(after).toEqual([['PW006'], ['PW006'], ['opened']])
    expect(await decisionsOf(bob.paymentId)).toHaveLength(1)
    await age(ada.userId, 61)
    await age(bob.userId, 61)
    expect(codesOf(await openAll(ada.userId, [await newOrder(ada.userId)]))).toEqual(['opened'])
  })

  it('count per network over all customers, until the window is over (F3)', async () => {
    await setLimit(admin, 'failures_address', { value: 3, windowSeconds: 60 })
    const network = randomUUID()
    const stranger = await newUserRow()
    const payments = [
      await linkedPayment(network),
      await linkedPayment(network),
      await linkedPayment(network),
    ]

    for (const payment of payments) await tellOfDecline(payment, randomUUID())
    const [there] = await openAll(stranger, [await newOrder(stranger)], network)
    const [elsewhere] = await openAll(stranger, [await newOrder(stranger)], randomUUID())
    for (const { userId } of payments) await age(userId, 61)
    const [later] = await openAll(stranger, [await newOrder(stranger)], network)

    expect(there).toMatchObject({ code: 'PW006' })
    expect(elsewhere).toHaveProperty('id')
    expect(later).toHaveProperty('id')
  })

  it('include confirmations that failed at the bank, which make no charge', async () => {
    const person = await newPerson()
    const { paymentId, intentId } = await started(person)
    const payment = {
      ...(await linkedPayment()),
      paymentId,
      intentId,
    }
    const failure = { last_payment_error: { code: 'payment_intent_authentication_failure' } }

    for (let n = 0; n < 5; n++) {
      const event = eventOf(
        'payment_intent.payment_failed',
        intentOf(payment, 'requires_payment_method', failure),
      )
      for (let told = 0; told < 2; told++)
        expect((await postEvent(server, event, { secret })).status).toBe(200)
      expect(await failuresOf(person.id)).toBe(n + 1)
    }

    await until(async () => (await statusOf(paymentId)) === 'canceled')
    expect((await stripeSdk().paymentIntents.retrieve(intentId)).status).toBe('canceled')
  })

  it('do not undo a payment that succeeded after all', async () => {
    const person = await newPerson()
    const { paymentId, intentId } = await started(person)
    await adminSql()`insert into private.payment_decisions (payment_id, decision, reason) values (${paymentId}, 'cancel', 'too_many_failures')`

    expect(await confirm(intentId, 'pm_card_visa')).toBe('succeeded')
    await sweep()

    await until(async () => (await statusOf(paymentId)) === 'succeeded')
    await sweep()
    const [decision] =
      await adminSql()`select done_at is not null as done from private.payment_decisions where payment_id = ${paymentId}`
    expect(decision?.done).toBe(true)
  })
})
