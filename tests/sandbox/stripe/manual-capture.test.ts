import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { advance, errorOf, eventTypesOf, localStripe } from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

const WEEK = 7 * 24 * 60 * 60

const hold = (params: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({
    amount: 2500,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    capture_method: 'manual',
    confirm: true,
    ...params,
  })

const chargeOf = (intent: Stripe.PaymentIntent) => stripe.charges.retrieve(String(intent.latest_charge))

describe('manual capture', () => {
  it('stripe.P8 confirmed, the money is held and not taken', async () => {
    const intent = await hold()
    const charge = await chargeOf(intent)

    expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 2500, amount_received: 0 })
    expect(charge).toMatchObject({
      status: 'succeeded',
      paid: true,
      captured: false,
      amount_captured: 0,
      balance_transaction: null,
    })
    expect(charge.payment_method_details?.card?.capture_before).toBe(charge.created + WEEK)
  })

  it('stripe.P9 captured, the money is taken and on the balance at once', async () => {
    const { id } = await hold()
    const paid = await stripe.paymentIntents.capture(id, { metadata: { order: '7' } })
    const charge = await chargeOf(paid)

    expect(paid).toMatchObject({
      status: 'succeeded',
      amount_capturable: 0,
      amount_received: 2500,
      metadata: { order: '7' },
    })
    expect(charge).toMatchObject({
      captured: true,
      amount_captured: 2500,
      amount_refunded: 0,
      refunded: false,
    })
    const transaction = await stripe.balanceTransactions.retrieve(String(charge.balance_transaction))
    expect(transaction).toMatchObject({ amount: 2500, type: 'charge', source: charge.id })
  })

  it('stripe.P9 captured in part, the rest is released: no money moves for it', async () => {
    const { id } = await hold()
    const paid = await stripe.paymentIntents.capture(id, { amount_to_capture: 1000 })
    const charge = await chargeOf(paid)

    expect(paid).toMatchObject({
      status: 'succeeded',
      amount: 2500,
      amount_received: 1000,
      amount_capturable: 0,
    })
    expect(charge).toMatchObject({
      amount: 2500,
      amount_captured: 1000,
      amount_refunded: 1500,
      refunded: false,
    })
    const transactions = await stripe.balanceTransactions.list({ source: charge.id })
    expect(transactions.data).toMatchObject([{ amount: 1000 }])
    const [released] = (await stripe.refunds.list({ charge: charge.id })).data
    expect(released).toMatchObject({ amount: 1500, balance_transaction: null, status: 'succeeded' })
  })

  it('stripe.P9 more than is held is not captured', async () => {
    const { id } = await hold()
    const error = await errorOf(stripe.paymentIntents.capture(id, { amount_to_capture: 2501 }))

    expect(error).toMatchObject({ statusCode: 400, code: 'amount_too_large', param: 'amount_to_capture' })
    expect((await stripe.paymentIntents.retrieve(id)).status).toBe('requires_capture')
  })

  it('stripe.P11 what is not held is not captured', async () => {
    const waiting = await stripe.paymentIntents.create({ amount: 2500, currency: 'usd' })
    const captured = await hold()
    await stripe.paymentIntents.capture(captured.id)

    for (const { id } of [waiting, captured]) {
      const error = await errorOf(stripe.paymentIntents.capture(id))
      expect(error).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' })
    }
  })

  it('stripe.P10 cancelled, what was held is released', async () => {
    const { id } = await hold()
    const canceled = await stripe.paymentIntents.cancel(id)
    const charge = await chargeOf(canceled)

    expect(canceled).toMatchObject({ status: 'canceled', amount_capturable: 0, amount_received: 0 })
    expect(charge).toMatchObject({
      captured: false,
      refunded: true,
      amount_refunded: 2500,
      amount_captured: 0,
    })
    expect((await stripe.balanceTransactions.list({ source: charge.id })).data).toEqual([])
  })

  it('stripe.P13 uncaptured for seven days, it is cancelled', async () => {
    const { id } = await hold()
    await advance(url, WEEK - 60)
    expect((await stripe.paymentIntents.retrieve(id)).status).toBe('requires_capture')
    await advance(url, 60)

    const expired = await stripe.paymentIntents.retrieve(id)
    expect(expired).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'automatic',
      amount_capturable: 0,
    })
    expect(await eventTypesOf(stripe, id)).toEqual([
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
      'payment_intent.created',
      'refund.created',
      'charge.expired',
      'payment_intent.canceled',
    ])
    const [released] = (await stripe.refunds.list({ payment_intent: id })).data
    expect(released).toMatchObject({ reason: 'expired_uncaptured_charge', balance_transaction: null })
  })

  it('stripe.E7 held: charge.succeeded, amount_capturable_updated; captured: charge.captured, succeeded', async () => {
    const { id } = await hold()
    await stripe.paymentIntents.capture(id)

    expect(await eventTypesOf(stripe, id)).toEqual([
      'charge.succeeded',
      'payment_intent.amount_capturable_updated',
      'payment_intent.created',
      'charge.captured',
      'payment_intent.succeeded',
    ])
  })

  it('stripe.E8 cancelled while held: charge.refunded and payment_intent.canceled', async () => {
    const { id } = await hold()
    await stripe.paymentIntents.cancel(id)

    expect((await eventTypesOf(stripe, id)).slice(3)).toEqual([
      'refund.created',
      'charge.refunded',
      'payment_intent.canceled',
    ])
  })
})
