import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { admin, advance, errorOf, eventTypesOf, localStripe } from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

const UNDER_WAY_SECONDS = 60

async function pay(payment_method = 'pm_card_visa', amount = 2500): Promise<Stripe.Charge> {
  const intent = await stripe.paymentIntents.create({
    amount,
    currency: 'usd',
    payment_method,
    confirm: true,
    expand: ['latest_charge'],
  })
  return intent.latest_charge as Stripe.Charge
}

const refund = ({ id }: Stripe.Charge, params: Stripe.RefundCreateParams = {}) =>
  stripe.refunds.create({ charge: id, ...params })
const read = ({ id }: Stripe.Charge) => stripe.charges.retrieve(id)
const transactionsOf = async (source: string) => (await stripe.balanceTransactions.list({ source })).data

describe('a refund', () => {
  it('gives everything back unless an amount is said, by charge or by PaymentIntent', async () => {
    const whole = await pay()
    const part = await pay()

    const all = await refund(whole, { reason: 'requested_by_customer', metadata: { ticket: '9' } })
    const some = await stripe.refunds.create({ payment_intent: String(part.payment_intent), amount: 400 })

    expect(all).toMatchObject({
      amount: 2500,
      charge: whole.id,
      payment_intent: whole.payment_intent,
      reason: 'requested_by_customer',
      metadata: { ticket: '9' },
      status: 'succeeded',
    })
    expect(some).toMatchObject({ amount: 400, charge: part.id, reason: null })
    expect(await read(whole)).toMatchObject({ amount_refunded: 2500, refunded: true })
    expect(await read(part)).toMatchObject({ amount_refunded: 400, refunded: false })
  })

  it('takes the money from the balance, without giving the fee back', async () => {
    const { balance_transaction } = await refund(await pay())

    expect(await stripe.balanceTransactions.retrieve(String(balance_transaction))).toMatchObject({
      amount: -2500,
      fee: 0,
      net: -2500,
      type: 'refund',
      reporting_category: 'refund',
    })
  })

  it('of a payment whose money was still on its way settles it first', async () => {
    const charge = await pay()
    await refund(charge)

    expect(charge.balance_transaction).toBeNull()
    expect((await read(charge)).balance_transaction).toMatch(/^txn_/)
    await advance(url, 120)
    expect(await transactionsOf(charge.id)).toHaveLength(1)
  })

  it('is read, listed, labelled and expanded', async () => {
    const charge = await pay()
    const first = await refund(charge, { amount: 100 })
    const second = await refund(charge, { amount: 200 })
    await stripe.refunds.update(first.id, { metadata: { seen: 'yes' } })

    expect(await stripe.refunds.retrieve(first.id)).toMatchObject({ metadata: { seen: 'yes' } })
    const byCharge = await stripe.refunds.list({ charge: charge.id })
    const byIntent = await stripe.refunds.list({ payment_intent: String(charge.payment_intent) })
    expect(byCharge.data.map(({ id }) => id)).toEqual([second.id, first.id])
    expect(byIntent.data.map(({ id }) => id)).toEqual([second.id, first.id])
    const expanded = await stripe.refunds.retrieve(first.id, {
      expand: ['charge', 'balance_transaction.source'],
    })
    expect(expanded).toMatchObject({
      charge: { id: charge.id, object: 'charge' },
      balance_transaction: { source: { id: first.id, object: 'refund' } },
    })
  })

  it('is part of its charge when that is asked for', async () => {
    const charge = await pay()
    const { id, balance_transaction } = await refund(charge, { amount: 100 })
    const plain = await read(charge)
    const whole = await stripe.charges.retrieve(charge.id, { expand: ['refunds.data.balance_transaction'] })

    expect(plain).not.toHaveProperty('refunds')
    expect(whole.refunds).toMatchObject({
      object: 'list',
      has_more: false,
      data: [{ id, amount: 100, balance_transaction: { id: balance_transaction, amount: -100 } }],
    })
  })

  it('cannot be cancelled, as refunds to cards do not wait for anybody', async () => {
    const { id } = await refund(await pay())

    expect(await errorOf(stripe.refunds.cancel(id))).toMatchObject({ statusCode: 400 })
  })

  it('stripe.E12 refund.created, charge.refunded, and later refund.updated, charge.refund.updated', async () => {
    const charge = await pay()
    const { id } = await refund(charge)
    const before = await eventTypesOf(stripe, String(charge.payment_intent))
    await advance(url, UNDER_WAY_SECONDS)
    const after = await eventTypesOf(stripe, String(charge.payment_intent))

    expect(before.slice(before.indexOf('refund.created'))).toEqual(['refund.created', 'charge.refunded'])
    expect(after.slice(before.length)).toEqual(['refund.updated', 'charge.refund.updated'])
    expect((await stripe.refunds.retrieve(id)).destination_details?.card?.reference_status).toBe('available')
  })

  it('stripe.C28 of a card that makes it wait is pending and later succeeds', async () => {
    const charge = await pay('pm_card_pendingRefund')
    const pending = await refund(charge)
    await advance(url, UNDER_WAY_SECONDS)
    const { data } = await stripe.events.list({ type: 'refund.updated', limit: 1 })

    expect(pending).toMatchObject({ status: 'pending', pending_reason: 'processing' })
    expect(await stripe.refunds.retrieve(pending.id)).toMatchObject({ status: 'succeeded' })
    expect(data[0]?.data).toMatchObject({
      object: { id: pending.id, status: 'succeeded' },
      previous_attributes: { status: 'pending' },
    })
  })

  it('stripe.C29 of a card that refuses it succeeds at first and fails later: the money comes back', async () => {
    const charge = await pay('pm_card_refundFail')
    const given = await refund(charge, { amount: 1000 })
    await advance(url, UNDER_WAY_SECONDS)
    const failed = await stripe.refunds.retrieve(given.id)
    const types = await eventTypesOf(stripe, String(charge.payment_intent))

    expect(given.status).toBe('succeeded')
    expect(failed).toMatchObject({ status: 'failed', failure_reason: 'unknown' })
    expect(await read(charge)).toMatchObject({ amount_refunded: 0, refunded: false })
    expect(types.slice(-3)).toEqual(['refund.failed', 'refund.updated', 'charge.refund.updated'])
    const transactions = await transactionsOf(given.id)
    expect(transactions.map(({ type, amount }) => [type, amount])).toEqual([
      ['refund_failure', 1000],
      ['refund', -1000],
    ])
    expect(failed.failure_balance_transaction).toBe(transactions[0]?.id)
  })

  it('made in the dashboard has events that name no request, and can be told how it ends', async () => {
    const charge = await pay()
    const made = await admin(url, `/charges/${charge.payment_intent}/refund`, {
      amount: 700,
      ending: 'fails',
    })
    const [event] = (await stripe.events.list({ type: 'refund.created', limit: 1 })).data
    await advance(url, UNDER_WAY_SECONDS)

    expect(made).toMatchObject({ status: 200, body: { amount: 700, charge: charge.id } })
    expect(event).toMatchObject({ data: { object: { id: made.body.id } }, request: { id: null } })
    expect((await stripe.refunds.retrieve(String(made.body.id))).status).toBe('failed')
  })

  it('can be failed by hand, once', async () => {
    const charge = await pay()
    const { id } = await refund(charge)
    const failed = await admin(url, `/refunds/${id}/fail`, { reason: 'expired_or_canceled_card' })
    const again = await admin(url, `/refunds/${id}/fail`, {})
    await advance(url, UNDER_WAY_SECONDS)

    expect(failed.body).toMatchObject({ status: 'failed', failure_reason: 'expired_or_canceled_card' })
    expect(again.status).toBe(400)
    expect((await stripe.refunds.retrieve(id)).status).toBe('failed')
    expect(await transactionsOf(id)).toHaveLength(2)
    expect((await refund(charge)).status).toBe('succeeded')
  })
})

describe('a refund is refused', () => {
  it('stripe.R9 for more than is left: no code, param amount', async () => {
    const charge = await pay()
    await refund(charge, { amount: 2000 })
    const error = await errorOf(refund(charge, { amount: 1000 }))

    expect(error.code).toBeUndefined()
    expect(error).toMatchObject({
      statusCode: 400,
      param: 'amount',
      message: 'Refund amount ($10.00) is greater than unrefunded amount on charge ($5.00)',
    })
    expect((await read(charge)).amount_refunded).toBe(2000)
  })

  it('stripe.R10 when everything went back', async () => {
    const charge = await pay()
    await refund(charge)
    const error = await errorOf(refund(charge))

    expect(error).toMatchObject({
      statusCode: 400,
      code: 'charge_already_refunded',
      message: `Charge ${charge.id} has already been refunded.`,
    })
  })

  it('stripe.R11 when the payment is disputed, but not during an inquiry', async () => {
    const disputed = await pay()
    const asked = await pay()
    await admin(url, `/charges/${disputed.id}/dispute`, {})
    await admin(url, `/charges/${asked.id}/dispute`, { inquiry: true })

    expect(await errorOf(refund(disputed))).toMatchObject({ statusCode: 400, code: 'charge_disputed' })
    expect((await refund(asked)).status).toBe('succeeded')
  })

  it.each([
    ['nothing is named', () => stripe.refunds.create({})],
    ['both are named', () => stripe.refunds.create({ charge: 'ch_1', payment_intent: 'pi_1' })],
    ['the charge is unknown', () => stripe.refunds.create({ charge: 'ch_1' })],
    ['the PaymentIntent is unknown', () => stripe.refunds.create({ payment_intent: 'pi_1' })],
    [
      'nothing was paid',
      async () => {
        const { id } = await stripe.paymentIntents.create({ amount: 900, currency: 'usd' })
        return stripe.refunds.create({ payment_intent: id })
      },
    ],
    [
      'the money is only held',
      async () => {
        const { id } = await stripe.paymentIntents.create({
          amount: 900,
          currency: 'usd',
          capture_method: 'manual',
          payment_method: 'pm_card_visa',
          confirm: true,
        })
        return stripe.refunds.create({ payment_intent: id })
      },
    ],
    ['the amount is nothing', async () => refund(await pay(), { amount: 0 })],
  ])('when %s', async (_what, call) => {
    expect(await errorOf(call())).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
  })

  it('ten at once give back no more than there is', async () => {
    const charge = await pay()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => refund(charge, { amount: 400 })),
    )

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(6)
    expect((await read(charge)).amount_refunded).toBe(2400)
  })
})
