import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { aSubscriber, periodOf, typesSince } from './support/billing.ts'
import { errorOf, localStripe } from './support/local-stripe.ts'

const { stripe } = await localStripe({ settleDelayMs: 0 })

const secretOf = (subscription: Stripe.Subscription) => {
  const invoice = subscription.latest_invoice
  if (typeof invoice !== 'object' || !invoice?.confirmation_secret) throw new Error('nothing to confirm')
  return invoice.confirmation_secret.client_secret
}
const intentOf = (subscription: Stripe.Subscription) => secretOf(subscription).split('_secret_')[0] ?? ''

describe('a subscription that waits for its first payment', () => {
  it('stripe.E14 begins incomplete, and is active when the customer has paid', async () => {
    const { customer, price } = await aSubscriber(stripe)
    const told = await typesSince(stripe)

    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      payment_behavior: 'default_incomplete',
      payment_settings: { save_default_payment_method: 'on_subscription' },
      expand: ['latest_invoice.confirmation_secret'],
    })
    const begun = await told()
    const paid = await stripe.paymentIntents.confirm(intentOf(subscription), {
      payment_method: 'pm_card_visa',
      return_url: 'http://localhost:3000/',
    })
    const after = await stripe.subscriptions.retrieve(subscription.id)

    expect(subscription.status).toBe('incomplete')
    expect(begun).toEqual([
      'customer.subscription.created',
      'invoice.created',
      'invoice.finalized',
      'payment_intent.created',
    ])
    expect((await told()).slice(4, 10)).toEqual([
      'payment_method.attached',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice.paid',
      'invoice.payment_succeeded',
      'customer.subscription.updated',
    ])
    expect(paid.status).toBe('succeeded')
    expect(after).toMatchObject({ status: 'active', default_payment_method: paid.payment_method })
  })

  it('stripe.E6 asks the bank when it wants to be asked, and stays incomplete until then', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_authenticationRequired' })

    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    })
    const { data } = await stripe.invoicePayments.list({
      invoice: String(subscription.latest_invoice),
      expand: ['data.payment.payment_intent'],
    })

    expect(subscription.status).toBe('incomplete')
    expect(data[0]?.payment.payment_intent).toMatchObject({
      status: 'requires_action',
      next_action: { type: 'use_stripe_sdk' },
    })
  })

  it('stripe.E5 a declined card leaves it incomplete, and another card makes it active', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_chargeCustomerFail' })

    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    })
    const invoice = await stripe.invoices.pay(String(subscription.latest_invoice), {
      payment_method: 'pm_card_visa',
    })

    expect(subscription.status).toBe('incomplete')
    expect(invoice).toMatchObject({ status: 'paid', attempt_count: 2, amount_remaining: 0 })
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  })

  it('is not begun at all with error_if_incomplete', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_chargeCustomerFail' })

    const error = await errorOf(
      stripe.subscriptions.create({
        customer: customer.id,
        items: [{ price: price.id }],
        payment_behavior: 'error_if_incomplete',
      }),
    )
    const { data } = await stripe.subscriptions.list({ customer: customer.id, status: 'all' })

    expect(error).toMatchObject({ statusCode: 402, code: 'card_declined' })
    expect(data).toEqual([])
  })

  it('needs a card, or somebody who is going to give one', async () => {
    const { customer, price } = await aSubscriber(stripe)

    const error = await errorOf(
      stripe.subscriptions.create({ customer: customer.id, items: [{ price: price.id }] }),
    )

    expect(error).toMatchObject({ statusCode: 400, code: 'resource_missing' })
  })
})

describe('a subscription that is paid at once', () => {
  it('stripe.V2 is active, and its first invoice is paid by a payment that says which', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })

    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
      expand: ['latest_invoice.payments'],
    })
    const invoice = subscription.latest_invoice as Stripe.Invoice

    expect(subscription.status).toBe('active')
    expect(invoice).toMatchObject({
      status: 'paid',
      billing_reason: 'subscription_create',
      amount_paid: 1000,
      number: expect.stringMatching(/-0001$/),
      parent: { type: 'subscription_details', subscription_details: { subscription: subscription.id } },
    })
    expect(invoice.payments?.data[0]).toMatchObject({ status: 'paid', is_default: true, amount_paid: 1000 })
    const gone = ['payment_intent', 'charge', 'subscription', 'paid'].filter((name) => name in invoice)
    expect(gone).toEqual([])
    expect('current_period_end' in subscription).toBe(false)
    const { start, end } = periodOf(subscription)
    expect((end - start) / 86_400).toBeGreaterThanOrEqual(28)
  })

  it('takes coupons off, and counts them', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const coupon = await stripe.coupons.create({ percent_off: 25, duration: 'once' })
    const code = await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id } })

    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id, quantity: 2 }],
      discounts: [{ promotion_code: code.id }],
      expand: ['latest_invoice', 'discounts'],
    })

    expect(subscription.latest_invoice).toMatchObject({
      subtotal: 2000,
      total: 1500,
      amount_paid: 1500,
      total_discount_amounts: [{ amount: 500 }],
    })
    expect((await stripe.coupons.retrieve(coupon.id)).times_redeemed).toBe(1)
    expect((await stripe.promotionCodes.retrieve(code.id)).times_redeemed).toBe(1)
  })
})

describe('changing a subscription', () => {
  const started = async () => {
    const { customer, price, product } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    })
    const dearer = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 3000,
      recurring: { interval: 'month' },
    })
    return { customer, subscription, dearer, item: subscription.items.data[0]?.id ?? '' }
  }

  it('to a dearer price at once charges the difference for the rest of the period', async () => {
    const { subscription, dearer, item } = await started()
    const { start, end } = periodOf(subscription)
    const half = Math.round((start + end) / 2)

    const changed = await stripe.subscriptions.update(subscription.id, {
      items: [{ id: item, price: dearer.id }],
      proration_behavior: 'always_invoice',
      proration_date: half,
      expand: ['latest_invoice'],
    })
    const invoice = changed.latest_invoice as Stripe.Invoice

    expect(changed.items.data[0]?.price.id).toBe(dearer.id)
    expect(invoice).toMatchObject({ status: 'paid', billing_reason: 'subscription_update', total: 1000 })
    expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([-500, 1500])
    expect(invoice.lines.data[0]?.parent?.subscription_item_details?.proration).toBe(true)
  })

  it('waits for the next invoice unless told otherwise, and the preview shows what is coming', async () => {
    const { subscription, dearer, item } = await started()
    const { start } = periodOf(subscription)
    const change = { items: [{ id: item, price: dearer.id }], proration_date: start }

    const preview = await stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: change,
    })
    const changed = await stripe.subscriptions.update(subscription.id, change)

    expect(preview.lines.data.map(({ amount }) => amount)).toEqual([-1000, 3000, 3000])
    expect(preview).toMatchObject({ billing_reason: 'upcoming', total: 5000 })
    expect(changed.latest_invoice).toBe(subscription.latest_invoice)
  })

  it('through its item does the same', async () => {
    const { subscription, item } = await started()

    const changed = await stripe.subscriptionItems.update(item, { quantity: 3, proration_behavior: 'none' })
    const listed = await stripe.subscriptionItems.list({ subscription: subscription.id })

    expect(changed.quantity).toBe(3)
    expect(listed.data).toEqual([await stripe.subscriptionItems.retrieve(item)])
  })

  it('stripe.W17 stripe.W11 tells what it was before, and nothing of its customer', async () => {
    const { subscription } = await started()
    const told = await typesSince(stripe)

    await stripe.subscriptions.update(subscription.id, { metadata: { plan: 'gold' } })
    const { data } = await stripe.events.list({ type: 'customer.subscription.updated', limit: 1 })

    expect(await told()).toEqual(['customer.subscription.updated'])
    expect(data[0]?.data.previous_attributes).toEqual({ metadata: {} })
  })

  it('stripe.E16 cancelled now it ends now', async () => {
    const { subscription } = await started()
    const told = await typesSince(stripe)

    const canceled = await stripe.subscriptions.cancel(subscription.id, {
      cancellation_details: { feedback: 'unused' },
    })
    const error = await errorOf(stripe.subscriptions.update(subscription.id, { metadata: { a: '1' } }))

    expect(canceled).toMatchObject({
      status: 'canceled',
      cancellation_details: { reason: 'cancellation_requested', feedback: 'unused' },
    })
    expect(await told()).toEqual(['customer.subscription.deleted'])
    expect(error).toMatchObject({ statusCode: 404, code: 'resource_missing' })
  })

  it('stripe.E16 cancelled at its period end it can be kept after all', async () => {
    const { subscription } = await started()

    const leaving = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })
    const staying = await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: false })

    expect(leaving).toMatchObject({ status: 'active', cancel_at: periodOf(subscription).end })
    expect(staying).toMatchObject({ cancel_at: null, cancel_at_period_end: false, canceled_at: null })
  })
})
