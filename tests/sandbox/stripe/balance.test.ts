import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { afterFile } from '../support/after-file.ts'
import { admin, advance, errorOf, localStripe } from './support/local-stripe.ts'

const folder = mkdtempSync(join(tmpdir(), 'local-stripe-'))
afterFile(() => rmSync(folder, { recursive: true, force: true }))

const DAY = 24 * 60 * 60

async function pay(stripe: Stripe, params: Partial<Stripe.PaymentIntentCreateParams> = {}) {
  const intent = await stripe.paymentIntents.create({
    amount: 10_000,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    capture_method: 'automatic',
    confirm: true,
    expand: ['latest_charge.balance_transaction'],
    ...params,
  })
  const charge = intent.latest_charge as Stripe.Charge
  return { charge, transaction: charge.balance_transaction as Stripe.BalanceTransaction }
}

describe('the balance', () => {
  it('is empty at first', async () => {
    const { stripe } = await localStripe()

    expect(await stripe.balance.retrieve()).toMatchObject({
      object: 'balance',
      available: [{ amount: 0, currency: 'usd' }],
      pending: [{ amount: 0, currency: 'usd' }],
    })
  })

  it('is the sum of its transactions: money in waits two days, money out goes at once', async () => {
    const { stripe, url } = await localStripe()
    const { charge, transaction } = await pay(stripe)
    await stripe.refunds.create({ charge: charge.id, amount: 1000 })
    const early = await stripe.balance.retrieve()
    await advance(url, 2 * DAY)
    const late = await stripe.balance.retrieve()

    expect(transaction).toMatchObject({
      amount: 10_000,
      fee: 320,
      net: 9680,
      status: 'pending',
      exchange_rate: null,
    })
    expect(transaction.fee_details).toMatchObject([{ type: 'stripe_fee', amount: 320 }])
    expect(early).toMatchObject({ available: [{ amount: -1000 }], pending: [{ amount: 9680 }] })
    expect(late).toMatchObject({ available: [{ amount: 8680 }], pending: [{ amount: 0 }] })
    expect(await stripe.balanceTransactions.retrieve(transaction.id)).toMatchObject({ status: 'available' })
  })

  it.each(['pm_card_bypassPending', 'pm_card_bypassPendingInternational'])(
    'stripe.C30 %s puts it on the available balance at once',
    async (payment_method) => {
      const { stripe } = await localStripe()
      const { transaction } = await pay(stripe, { payment_method })

      expect(transaction).toMatchObject({ status: 'available', available_on: transaction.created })
      expect(await stripe.balance.retrieve()).toMatchObject({ available: [{ amount: 9680 }] })
    },
  )

  it('stripe.E1 stripe.P17 the transaction comes later, with charge.updated', async () => {
    const { stripe, url } = await localStripe()
    const { charge, transaction } = await pay(stripe, { capture_method: 'automatic_async' })
    expect(transaction).toBeNull()
    expect((await stripe.balanceTransactions.list()).data).toEqual([])
    await advance(url, 60)

    const [updated] = (await stripe.events.list({ type: 'charge.updated' })).data
    const [booked] = (await stripe.balanceTransactions.list({ source: charge.id })).data
    expect(updated).toMatchObject({
      data: {
        object: { id: charge.id, balance_transaction: booked?.id },
        previous_attributes: { balance_transaction: null },
      },
      request: { id: null },
    })
  })
})

describe('exchange', () => {
  it('puts amount, fee and net in the settlement currency, with the rate', async () => {
    const { stripe } = await localStripe({ settlementCurrency: 'eur' })
    const { charge, transaction } = await pay(stripe)

    expect(charge).toMatchObject({ amount: 10_000, currency: 'usd' })
    expect(transaction).toMatchObject({
      currency: 'eur',
      amount: 9200,
      exchange_rate: 0.92,
      fee: 297,
      net: 8903,
    })
    expect(transaction.fee_details).toMatchObject([{ currency: 'eur', amount: 297 }])
  })

  it('keeps a payment in the settlement currency as it is', async () => {
    const { stripe } = await localStripe({ settlementCurrency: 'eur' })
    const { transaction } = await pay(stripe, { currency: 'eur' })

    expect(transaction).toMatchObject({ currency: 'eur', amount: 10_000, exchange_rate: null })
  })

  it('knows that currencies differ in their decimals', async () => {
    const { stripe } = await localStripe({ settlementCurrency: 'usd' })
    const { transaction } = await pay(stripe, { amount: 1520, currency: 'jpy' })

    expect(transaction).toMatchObject({ currency: 'usd', amount: 1000, exchange_rate: 0.00657895 })
  })

  it('takes back exactly what it gave: refund, refund failure, dispute and its fee', async () => {
    const { stripe, url } = await localStripe({ settlementCurrency: 'gbp' })
    const { charge } = await pay(stripe, { amount: 3333 })
    const refund = await stripe.refunds.create({ charge: charge.id })
    await admin(url, `/refunds/${refund.id}/fail`, {})
    const { body } = await admin(url, `/charges/${charge.id}/dispute`, {})
    await admin(url, `/disputes/${body.id}/close`, { status: 'won' })
    const transactions = (await stripe.balanceTransactions.list()).data.reverse()

    expect(transactions.map(({ type, amount, fee }) => [type, amount, fee])).toEqual([
      ['charge', 2633, 94],
      ['refund', -2633, 0],
      ['refund_failure', 2633, 0],
      ['adjustment', -2633, 1500],
      ['adjustment', 2633, -1500],
    ])
    expect(await stripe.balance.retrieve()).toMatchObject({
      available: [{ amount: 0 }],
      pending: [{ amount: 2539 }],
    })
  })

  it('stripe.A6 the minimum is that of the settlement currency', async () => {
    const { stripe } = await localStripe({ settlementCurrency: 'usd' })
    const create = (amount: number) => stripe.paymentIntents.create({ amount, currency: 'dkk' })
    const error = await errorOf(create(340))

    expect(error).toMatchObject({ statusCode: 400, code: 'amount_too_small', param: 'amount' })
    expect(error.message).toContain('must convert to at least $0.50')
    expect((await create(350)).amount).toBe(350)
  })

  it('can be switched on while it runs, and says what it cannot exchange', async () => {
    const { stripe, url } = await localStripe()
    const before = await pay(stripe)
    const set = await admin(url, '/account', { settlementCurrency: 'EUR' })
    const after = await pay(stripe)
    const unknown = await admin(url, '/account', { settlementCurrency: 'xyz' })

    expect(before.transaction.currency).toBe('usd')
    expect(set.body).toEqual({ settlementCurrency: 'eur' })
    expect(after.transaction.currency).toBe('eur')
    expect(unknown.status).toBe(400)
    expect(await errorOf(pay(stripe, { currency: 'xpf' }))).toMatchObject({
      statusCode: 400,
      param: 'currency',
    })
    const { available } = await stripe.balance.retrieve()
    expect(available.map(({ currency }) => currency)).toEqual(['eur', 'usd'])
  })
})

describe('the clock', () => {
  it('goes forward by seconds or to a time, and stays there after a restart', async () => {
    const databasePath = join(folder, 'clock.db')
    const first = await localStripe({ databasePath })
    const began = Math.floor(Date.now() / 1000)
    await advance(first.url, DAY)
    const set = await admin(first.url, '/clock', { now: began + 3 * DAY })
    await first.close()
    const second = await localStripe({ databasePath })
    const customer = await second.stripe.customers.create()

    expect(set.body.now).toBeCloseTo(began + 3 * DAY, -1)
    expect((await admin(second.url, '/clock')).body.advancedSeconds).toBe(set.body.advancedSeconds)
    expect(customer.created).toBeGreaterThanOrEqual(began + 3 * DAY)
  })

  it.each([{ now: 1000 }, { advanceSeconds: -1 }, { advanceSeconds: 'all' }, {}])(
    'is not set by %o',
    async (body) => {
      const { url } = await localStripe()

      expect((await admin(url, '/clock', body)).status).toBe(400)
    },
  )

  it('goes forward by any part of a second, and goes on as before', async () => {
    const { stripe, url } = await localStripe()
    await advance(url, 1.0005)

    expect((await pay(stripe)).charge.status).toBe('succeeded')
  })

  it('tells when something happens by itself next', async () => {
    const { stripe, url } = await localStripe()
    const nextInMs = async () => (await admin(url, '/clock')).body.nextInMs
    const before = await nextInMs()
    await stripe.paymentIntents.create({
      amount: 900,
      currency: 'eur',
      confirm: true,
      payment_method: 'pm_card_visa',
    })
    const settlesIn = Number(await nextInMs())
    await advance(url, 60)

    expect(before).toBeNull()
    expect(settlesIn).toBeGreaterThan(0)
    expect(settlesIn).toBeLessThanOrEqual(60_000)
    expect(await nextInMs()).toBeGreaterThan(60_000)
  })

  it('does what falls due on the way at its own time', async () => {
    const { stripe, url } = await localStripe()
    const { id, created } = await stripe.paymentIntents.create({
      amount: 900,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      capture_method: 'manual',
      confirm: true,
    })
    await advance(url, 30 * DAY)
    const { canceled_at } = await stripe.paymentIntents.retrieve(id)

    expect((canceled_at ?? 0) - created).toBeGreaterThanOrEqual(7 * DAY)
    expect((canceled_at ?? 0) - created).toBeLessThanOrEqual(7 * DAY + 2)
  })

  it('stripe.I1 a key is forgotten a day later', async () => {
    const { stripe, url } = await localStripe()
    const create = () => stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'one' })
    const first = await create()
    await advance(url, DAY - 60)
    const same = await create()
    await advance(url, 120)
    const another = await create()

    expect(same.id).toBe(first.id)
    expect(another.id).not.toBe(first.id)
  })

  it('stripe.W7 wakes deliveries that wait for their next attempt', async () => {
    const { stripe, url, store } = await localStripe({ retryDelaysMs: [3_600_000] })
    await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/', enabled_events: ['*'] })
    await stripe.customers.create()
    const attempts = async () => {
      const { body } = await admin(url, '/deliveries')
      return (body.deliveries as { attempts: unknown[] }[])[0]?.attempts.length
    }
    await expect.poll(attempts).toBe(1)
    await advance(url, 2 * 3600)

    await expect.poll(attempts).toBe(2)
    // Moving on takes its own moment, which is part of the two hours.
    expect(store.clock.offsetMs / 1000).toBeCloseTo(7_200, -1)
  })
})
