import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { advanceClock, aSubscriber, periodOf, typesSince } from './support/billing.ts'
import { advance, errorOf, eventually, localStripe } from './support/local-stripe.ts'

const HOUR = 60 * 60
const DAY = 24 * HOUR
const JANUARY_31 = Date.UTC(2027, 0, 31, 12) / 1000

const { stripe, url } = await localStripe({ settleDelayMs: 0 })

/** A subscriber in a time of its own, and a subscription that was paid with `card`. */
async function subscribed(
  { card = 'pm_card_visa', ...more }: { card?: string } & Partial<Stripe.SubscriptionCreateParams> = {},
  api = stripe,
) {
  const clock = await api.testHelpers.testClocks.create({ frozen_time: JANUARY_31 })
  const subscriber = await aSubscriber(api, { card, clock: clock.id })
  const subscription = await api.subscriptions.create({
    customer: subscriber.customer.id,
    items: [{ price: subscriber.price.id }],
    ...more,
  })
  return { ...subscriber, clock, subscription, told: await typesSince(api) }
}

const latestInvoice = async (api: Stripe, id: string) => {
  const { latest_invoice } = await api.subscriptions.retrieve(id, { expand: ['latest_invoice'] })
  if (typeof latest_invoice !== 'object' || !latest_invoice) throw new Error('no invoice')
  return latest_invoice
}

/** From now on the customer's card is declined. */
async function breakCard(api: Stripe, customer: string, card = 'pm_card_chargeCustomerFail') {
  const { id } = await api.paymentMethods.attach(card, { customer })
  await api.customers.update(customer, { invoice_settings: { default_payment_method: id } })
}

const untilPeriodEnd = (subscription: Stripe.Subscription) => periodOf(subscription).end - JANUARY_31

describe('a test clock', () => {
  it('stripe.E20 tells when it is made, advances and is ready', async () => {
    const told = await typesSince(stripe)
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: JANUARY_31, name: 'mine' })

    const advancing = await stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: JANUARY_31 + DAY })
    const ready = await eventually('ready', async () => {
      const now = await stripe.testHelpers.testClocks.retrieve(clock.id)
      return now.status === 'ready' && now
    })

    expect(clock).toMatchObject({ status: 'ready', frozen_time: JANUARY_31, name: 'mine' })
    expect(advancing.status_details.advancing?.target_frozen_time).toBe(JANUARY_31 + DAY)
    expect(ready.frozen_time).toBe(JANUARY_31 + DAY)
    expect(await told()).toEqual([
      'test_helpers.test_clock.created',
      'test_helpers.test_clock.advancing',
      'test_helpers.test_clock.ready',
    ])
  })

  it('stripe.E20 never goes back', async () => {
    const clock = await stripe.testHelpers.testClocks.create({ frozen_time: JANUARY_31 })

    const error = await errorOf(
      stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: JANUARY_31 - 1 }),
    )

    expect(error).toMatchObject({ statusCode: 400, param: 'frozen_time' })
  })

  it('stripe.E20 is the time in which its customers live', async () => {
    const { customer, subscription } = await subscribed()
    const invoice = await latestInvoice(stripe, subscription.id)
    const { data } = await stripe.charges.list({ customer: customer.id })

    expect(customer.created).toBe(JANUARY_31)
    expect(subscription).toMatchObject({ created: JANUARY_31, test_clock: customer.test_clock })
    expect(invoice).toMatchObject({ created: JANUARY_31, status_transitions: { paid_at: JANUARY_31 } })
    expect(data[0]?.created).toBe(JANUARY_31)
  })

  it('stripe.E20 takes what lives in it along when it is deleted', async () => {
    const { customer, subscription, clock } = await subscribed()

    await stripe.testHelpers.testClocks.del(clock.id)

    expect(await stripe.customers.retrieve(customer.id)).toMatchObject({ deleted: true })
    expect(await errorOf(stripe.subscriptions.retrieve(subscription.id))).toMatchObject({ statusCode: 404 })
  })
})

describe('a renewal', () => {
  it('stripe.E15 is a draft for an hour, then finalized and paid', async () => {
    const { subscription, clock, told } = await subscribed()

    await advanceClock(stripe, clock.id, untilPeriodEnd(subscription))
    const draft = await latestInvoice(stripe, subscription.id)
    await advanceClock(stripe, clock.id, HOUR)
    const paid = await latestInvoice(stripe, subscription.id)

    expect(draft).toMatchObject({
      status: 'draft',
      billing_reason: 'subscription_cycle',
      automatically_finalizes_at: periodOf(subscription).end + HOUR,
      period_start: JANUARY_31,
      period_end: periodOf(subscription).end,
    })
    expect(paid).toMatchObject({ id: draft.id, status: 'paid', amount_paid: 1000, attempt_count: 1 })
    // The table has the update last; the period it tells of begins with the draft, and nothing changes with the payment.
    expect((await told()).filter((type) => !type.startsWith('test_helpers.'))).toEqual([
      'invoice.created',
      'customer.subscription.updated',
      'invoice.finalized',
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'invoice.paid',
      'invoice.payment_succeeded',
    ])
  })

  it('keeps to the day of the month it began on', async () => {
    const { subscription, clock } = await subscribed()
    const ends = [periodOf(subscription).end]

    for (const _ of [1, 2, 3]) {
      await advanceClock(stripe, clock.id, 31 * DAY)
      ends.push(periodOf(await stripe.subscriptions.retrieve(subscription.id)).end)
    }

    expect(ends.map((end) => new Date(end * 1000).toISOString().slice(0, 10))).toEqual([
      '2027-02-28',
      '2027-03-31',
      '2027-04-30',
      '2027-05-31',
    ])
    expect((await stripe.invoices.list({ subscription: subscription.id })).data).toHaveLength(4)
  })

  it('stripe.E15 that is declined makes the subscription past due; paying makes it active again', async () => {
    const { customer, subscription, clock, told } = await subscribed()
    await breakCard(stripe, customer.id)

    await advanceClock(stripe, clock.id, untilPeriodEnd(subscription) + HOUR)
    const open = await latestInvoice(stripe, subscription.id)
    const late = await stripe.subscriptions.retrieve(subscription.id)
    const failed = await told()
    await stripe.invoices.pay(open.id, { payment_method: 'pm_card_visa' })

    expect(late.status).toBe('past_due')
    expect(open).toMatchObject({
      status: 'open',
      attempt_count: 1,
      next_payment_attempt: periodOf(subscription).end + HOUR + 3 * DAY,
    })
    expect(failed.slice(failed.indexOf('invoice.finalized'), -1)).toEqual([
      'invoice.finalized',
      'payment_intent.created',
      'charge.failed',
      'payment_intent.payment_failed',
      'invoice.payment_failed',
      'customer.subscription.updated',
    ])
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  })

  it('is tried again after 3, 5 and 7 days, and then the subscription ends', async () => {
    const { customer, subscription, clock, told } = await subscribed()
    await breakCard(stripe, customer.id)

    await advanceClock(stripe, clock.id, untilPeriodEnd(subscription) + HOUR + 14 * DAY)
    const before = await stripe.subscriptions.retrieve(subscription.id)
    await advanceClock(stripe, clock.id, DAY)
    const after = await stripe.subscriptions.retrieve(subscription.id)
    const invoice = await latestInvoice(stripe, subscription.id)

    expect(before.status).toBe('past_due')
    expect(after).toMatchObject({
      status: 'canceled',
      cancellation_details: { reason: 'payment_failed' },
      ended_at: periodOf(subscription).end + HOUR + 15 * DAY,
    })
    expect(invoice).toMatchObject({ status: 'open', attempt_count: 4, next_payment_attempt: null })
    expect((await told()).filter((type) => type === 'invoice.payment_failed')).toHaveLength(4)
  })

  it('that stays unpaid can leave the subscription unpaid instead', async () => {
    const other = await localStripe({ settleDelayMs: 0, dunning: { retryAfterDays: [1], ending: 'unpaid' } })
    const { customer, subscription, clock } = await subscribed({}, other.stripe)
    await breakCard(other.stripe, customer.id)

    await advanceClock(other.stripe, clock.id, untilPeriodEnd(subscription) + HOUR + DAY)
    const unpaid = await other.stripe.subscriptions.retrieve(subscription.id)
    await advanceClock(other.stripe, clock.id, 40 * DAY)
    const next = await latestInvoice(other.stripe, subscription.id)

    expect(unpaid.status).toBe('unpaid')
    expect(next).toMatchObject({ status: 'draft', auto_advance: false })
  })

  it('stripe.E15 that needs the customer waits for the customer', async () => {
    const { customer, subscription, clock, told } = await subscribed()
    await breakCard(stripe, customer.id, 'pm_card_authenticationRequired')

    await advanceClock(stripe, clock.id, untilPeriodEnd(subscription) + HOUR)
    const invoice = await latestInvoice(stripe, subscription.id)
    const { data } = await stripe.invoicePayments.list({
      invoice: invoice.id,
      expand: ['data.payment.payment_intent'],
    })

    expect(data[0]?.payment.payment_intent).toMatchObject({ status: 'requires_action' })
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('past_due')
    expect((await told()).slice(-6, -1)).toEqual([
      'payment_intent.created',
      'payment_intent.requires_action',
      'invoice.payment_action_required',
      'invoice.payment_failed',
      'customer.subscription.updated',
    ])
  })

  it('asks for nothing more when the subscription was to end with its period (stripe.E16)', async () => {
    const { subscription, clock, told } = await subscribed()
    await stripe.subscriptions.update(subscription.id, { cancel_at_period_end: true })

    await advanceClock(stripe, clock.id, untilPeriodEnd(subscription) + HOUR)

    expect(await told()).toEqual([
      'customer.subscription.updated',
      'test_helpers.test_clock.advancing',
      'customer.subscription.deleted',
      'test_helpers.test_clock.ready',
    ])
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
  })

  it('bills what a change of price left to be billed', async () => {
    const { subscription, clock, product } = await subscribed()
    const dearer = await stripe.prices.create({
      product: product.id,
      currency: 'usd',
      unit_amount: 3000,
      recurring: { interval: 'month' },
    })
    await stripe.subscriptions.update(subscription.id, {
      items: [{ id: subscription.items.data[0]?.id ?? '', price: dearer.id }],
    })

    await advanceClock(stripe, clock.id, untilPeriodEnd(subscription) + HOUR)
    const invoice = await latestInvoice(stripe, subscription.id)

    expect(invoice.lines.data.map(({ amount }) => amount)).toEqual([-1000, 3000, 3000])
    expect(invoice).toMatchObject({ status: 'paid', amount_paid: 5000 })
  })
})

describe('a first invoice that nobody pays', () => {
  it('stripe.E14 is void after 23 hours, and the subscription incomplete_expired', async () => {
    const { subscription, clock, told } = await subscribed({ payment_behavior: 'default_incomplete' })

    await advanceClock(stripe, clock.id, 23 * HOUR - 1)
    const before = await stripe.subscriptions.retrieve(subscription.id)
    await advanceClock(stripe, clock.id, 1)
    const after = await stripe.subscriptions.retrieve(subscription.id)

    expect(before.status).toBe('incomplete')
    expect(after.status).toBe('incomplete_expired')
    expect(await latestInvoice(stripe, subscription.id)).toMatchObject({ status: 'void' })
    expect((await told()).filter((type) => !type.startsWith('test_helpers.'))).toEqual([
      'payment_intent.canceled',
      'invoice.voided',
      'customer.subscription.updated',
    ])
  })
})

describe('a trial', () => {
  it('stripe.E19 costs nothing, says three days before that it ends, and then is billed', async () => {
    const { subscription, clock, told } = await subscribed({ trial_period_days: 14 })
    const first = await latestInvoice(stripe, subscription.id)

    await advanceClock(stripe, clock.id, 11 * DAY)
    const warned = await told()
    await advanceClock(stripe, clock.id, 3 * DAY + HOUR)
    const after = await stripe.subscriptions.retrieve(subscription.id)

    expect(subscription).toMatchObject({ status: 'trialing', trial_end: JANUARY_31 + 14 * DAY })
    expect(first).toMatchObject({ status: 'paid', amount_due: 0, lines: { data: [{ amount: 0 }] } })
    expect(warned).toContain('customer.subscription.trial_will_end')
    expect(after.status).toBe('active')
    expect(await latestInvoice(stripe, subscription.id)).toMatchObject({ status: 'paid', amount_paid: 1000 })
    expect((await told()).filter((type) => type.endsWith('trial_will_end'))).toHaveLength(1)
  })

  it('without a card ends as it was asked to: cancelled', async () => {
    const { subscription, clock } = await subscribed({
      card: '',
      trial_period_days: 5,
      trial_settings: { end_behavior: { missing_payment_method: 'cancel' } },
    })

    await advanceClock(stripe, clock.id, 6 * DAY)

    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('canceled')
  })

  it('without a card ends as it was asked to: paused until it is resumed', async () => {
    const { customer, subscription, clock } = await subscribed({
      card: '',
      trial_period_days: 5,
      trial_settings: { end_behavior: { missing_payment_method: 'pause' } },
    })
    await advanceClock(stripe, clock.id, 6 * DAY)
    const paused = await stripe.subscriptions.retrieve(subscription.id)
    await breakCard(stripe, customer.id, 'pm_card_visa')

    const resumed = await stripe.subscriptions.resume(subscription.id, {
      billing_cycle_anchor: { type: 'now' },
    })

    expect(paused.status).toBe('paused')
    expect(resumed.status).toBe('active')
    expect(await latestInvoice(stripe, subscription.id)).toMatchObject({ status: 'paid', amount_paid: 1000 })
  })
})

describe('without a test clock', () => {
  it('stripe.E15 a renewal happens in the time of the whole stand-in', async () => {
    const { customer, price } = await aSubscriber(stripe, { card: 'pm_card_visa' })
    const subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id }],
    })

    await advance(url, 32 * DAY)

    const invoices = await stripe.invoices.list({ customer: customer.id })
    expect(invoices.data.map(({ status, billing_reason }) => [status, billing_reason])).toEqual([
      ['paid', 'subscription_cycle'],
      ['paid', 'subscription_create'],
    ])
    expect((await stripe.subscriptions.retrieve(subscription.id)).status).toBe('active')
  })
})
