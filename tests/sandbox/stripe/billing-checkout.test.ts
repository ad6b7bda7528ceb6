import { createServer } from 'node:http'
import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { afterFile } from '../support/after-file.ts'
import { aSubscriber, typesSince } from './support/billing.ts'
import { answerBank, pageCard, payOnPage, press } from './support/hosted.ts'
import {
  advance,
  errorOf,
  eventually,
  localStripe,
  sendAsBrowser,
  typedCard,
} from './support/local-stripe.ts'

const { stripe, url } = await localStripe({ settleDelayMs: 0 })
const SUCCESS = 'http://localhost:3000/done?session={CHECKOUT_SESSION_ID}'

/** A shop that takes its time to answer its webhooks. */
async function slowShop(delayMs: number) {
  let answered = 0
  const state = { url: '', delayMs, answered: () => answered }
  const server = createServer((request, response) => {
    request.resume()
    setTimeout(() => {
      answered += 1
      response.end('{}')
    }, state.delayMs).unref()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('The shop has no address')
  state.url = `http://127.0.0.1:${address.port}/webhook`
  afterFile(() => {
    server.closeAllConnections()
    server.close()
  })
  return state
}

const sale = (more: Partial<Stripe.Checkout.SessionCreateParams> = {}, api = stripe) =>
  api.checkout.sessions.create({
    mode: 'payment',
    success_url: SUCCESS,
    cancel_url: 'http://localhost:3000/cart',
    line_items: [
      { price_data: { currency: 'eur', unit_amount: 1250, product_data: { name: 'Mug' } }, quantity: 2 },
    ],
    ...more,
  })

async function subscriptionSale(more: Partial<Stripe.Checkout.SessionCreateParams> = {}) {
  const { price } = await aSubscriber(stripe)
  return stripe.checkout.sessions.create({
    mode: 'subscription',
    success_url: SUCCESS,
    line_items: [{ price: price.id, quantity: 1 }],
    ...more,
  })
}

describe('a session for one payment', () => {
  it('stripe.E3 makes its payment when the customer pays, and not before', async () => {
    const session = await sale({
      customer_creation: 'always',
      payment_intent_data: { metadata: { order: '7' } },
    })
    const told = await typesSince(stripe)

    const { redirectTo } = await payOnPage(url, session.id)
    const after = await stripe.checkout.sessions.retrieve(session.id, {
      expand: ['payment_intent', 'line_items'],
    })

    expect(session).toMatchObject({
      payment_intent: null,
      status: 'open',
      payment_status: 'unpaid',
      amount_total: 2500,
      url: `${url}/c/pay/${session.id}`,
    })
    expect(after).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      url: null,
      customer: expect.stringMatching(/^cus_/),
      customer_details: { email: 'ada@example.com' },
      payment_intent: { status: 'succeeded', amount: 2500, currency: 'eur', metadata: { order: '7' } },
      line_items: { data: [{ description: 'Mug', quantity: 2, amount_total: 2500 }] },
    })
    expect(await told()).toEqual([
      'customer.created',
      'charge.succeeded',
      'payment_intent.succeeded',
      'payment_intent.created',
      'checkout.session.completed',
    ])
    expect(redirectTo).toBe(`http://localhost:3000/done?session=${session.id}`)
  })

  it('stripe.L6 puts its id into the address the customer goes to', async () => {
    const session = await sale()

    const { redirectTo } = await payOnPage(url, session.id)
    const again = await fetch(`${url}/c/pay/${session.id}`, { redirect: 'manual' })

    expect(redirectTo).toBe(`http://localhost:3000/done?session=${session.id}`)
    expect([again.status, again.headers.get('location')]).toEqual([303, redirectTo])
  })

  it('stripe.E5 stays open after a decline, and another card pays the same payment', async () => {
    const session = await sale()

    const declined = await payOnPage(url, session.id, { number: '4000000000009995' })
    const between = await stripe.checkout.sessions.retrieve(session.id)
    await payOnPage(url, session.id)
    const after = await stripe.checkout.sessions.retrieve(session.id)

    expect(declined).toEqual({ message: 'Your card has insufficient funds.' })
    expect(between.status).toBe('open')
    expect(after).toMatchObject({ status: 'complete', payment_intent: between.payment_intent })
  })

  it('stripe.E6 goes to the bank and back when the bank wants that', async () => {
    const session = await sale()

    const { redirectTo: bank = '' } = await payOnPage(url, session.id, { number: '4000002760003184' })
    const back = await answerBank(url, bank, 'pass')
    const page = await fetch(back, { redirect: 'manual' })

    expect(bank).toContain('/3ds/')
    expect(back).toContain(`${url}/c/pay/${session.id}?payment_intent=`)
    expect(page.headers.get('location')).toBe(`http://localhost:3000/done?session=${session.id}`)
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' })
  })

  it('takes a promotion code off, and needs no card when nothing is left', async () => {
    const coupon = await stripe.coupons.create({ percent_off: 100, duration: 'once' })
    await stripe.promotionCodes.create({ promotion: { type: 'coupon', coupon: coupon.id }, code: 'GRATIS' })
    const session = await sale({ allow_promotion_codes: true })

    const refused = await press(url, `/c/pay/${session.id}/promotion_code`, { code: 'NOSUCH' })
    await press(url, `/c/pay/${session.id}/promotion_code`, { code: 'gratis' })
    await press(url, `/c/pay/${session.id}`, { email: 'ada@example.com' })

    expect(refused).toEqual({ message: 'This code cannot be used.' })
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'complete',
      payment_status: 'no_payment_required',
      amount_total: 0,
      payment_intent: null,
      total_details: { amount_discount: 2500 },
    })
  })

  it('can be found by what it sold', async () => {
    const session = await sale({ client_reference_id: 'order-9' })
    await payOnPage(url, session.id)
    const { payment_intent } = await stripe.checkout.sessions.retrieve(session.id)

    const found = await stripe.checkout.sessions.list({ payment_intent: String(payment_intent) })
    const lines = await stripe.checkout.sessions.listLineItems(session.id)

    expect(found.data.map(({ id, client_reference_id }) => [id, client_reference_id])).toEqual([
      [session.id, 'order-9'],
    ])
    expect(lines.data).toHaveLength(1)
  })

  it('stripe.W16 keeps the customer until the shop was told, but not for ever', async () => {
    const own = await localStripe({ settleDelayMs: 0 })
    const slow = await slowShop(300)
    await own.stripe.webhookEndpoints.create({
      url: slow.url,
      enabled_events: ['checkout.session.completed'],
    })
    const quick = await sale({}, own.stripe)
    await payOnPage(own.url, quick.id)
    const answeredBefore = slow.answered()

    slow.delayMs = 60_000
    const stuck = await sale({}, own.stripe)
    const began = performance.now()
    const { redirectTo } = await payOnPage(own.url, stuck.id)
    const waitedMs = performance.now() - began

    expect(answeredBefore).toBe(1)
    expect(redirectTo).toContain(stuck.id)
    expect(waitedMs).toBeGreaterThan(9_500)
    expect(waitedMs).toBeLessThan(30_000)
  })
})

describe('a session for a subscription', () => {
  it('stripe.E4 tells of the session before the subscription', async () => {
    const session = await subscriptionSale({ subscription_data: { metadata: { tier: 'premium' } } })
    const told = await typesSince(stripe)

    await payOnPage(url, session.id)
    const after = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription', 'invoice'] })

    expect(await told()).toEqual([
      'charge.succeeded',
      'payment_method.attached',
      'customer.created',
      'checkout.session.completed',
      'customer.subscription.created',
      'payment_intent.created',
      'payment_intent.succeeded',
      'invoice.created',
      'invoice.finalized',
      'invoice.paid',
      'invoice.payment_succeeded',
    ])
    expect(after).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      subscription: {
        status: 'active',
        metadata: { tier: 'premium' },
        default_payment_method: expect.stringMatching(/^pm_/),
      },
      invoice: { status: 'paid', billing_reason: 'subscription_create' },
    })
    await eventually('the payment of the invoice is told of', async () => {
      const { data } = await stripe.events.list({ type: 'invoice_payment.paid', limit: 1 })
      return data.length > 0
    })
  })

  it('stripe.E5 goes on with the same subscription when another card is given', async () => {
    const session = await subscriptionSale()

    const declined = await payOnPage(url, session.id, { number: '4000000000000002' })
    await payOnPage(url, session.id)
    const after = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })
    const all = await stripe.subscriptions.list({ customer: String(after.customer), status: 'all' })

    expect(declined.message).toBe('Your card was declined.')
    expect(all.data.map(({ status }) => status)).toEqual(['active'])
    expect(after.subscription).toMatchObject({ id: all.data[0]?.id })
  })

  it('stripe.E6 is complete when the bank has agreed', async () => {
    const session = await subscriptionSale()

    const { redirectTo = '' } = await payOnPage(url, session.id, { number: '4000002500003155' })
    const before = await stripe.checkout.sessions.retrieve(session.id)
    await answerBank(url, redirectTo, 'pass')
    const after = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })

    expect(before).toMatchObject({ status: 'open', subscription: null })
    expect(after).toMatchObject({ status: 'complete', subscription: { status: 'active' } })
  })

  it('begins a trial without taking money', async () => {
    const session = await subscriptionSale({ subscription_data: { trial_period_days: 7 } })

    await payOnPage(url, session.id)
    const after = await stripe.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })

    expect(after).toMatchObject({
      status: 'complete',
      payment_status: 'no_payment_required',
      subscription: { status: 'trialing' },
    })
  })
})

describe('a session whose fields are in the shop’s own page', () => {
  const inShop = () =>
    stripe.checkout.sessions.create({
      mode: 'payment',
      ui_mode: 'elements',
      return_url: 'http://localhost:3000/done?session={CHECKOUT_SESSION_ID}',
      line_items: [
        { price_data: { currency: 'eur', unit_amount: 900, product_data: { name: 'Tea' } }, quantity: 1 },
      ],
    })

  it('stripe.V3 has a secret instead of an address, and is paid by Stripe.js with it', async () => {
    const session = await inShop()
    const address = `/v1/elements/checkout_sessions/${session.id}/confirm`
    const card = { ...typedCard('4242424242424242'), email: 'ada@example.com' }

    const guessed = await sendAsBrowser(url, address, { ...card, client_secret: `${session.id}_secret_no` })
    const paid = await sendAsBrowser(url, address, { ...card, client_secret: session.client_secret ?? '' })

    expect(session).toMatchObject({ url: null, success_url: null, ui_mode: 'elements' })
    expect(guessed.status).toBe(400)
    expect(paid.body).toMatchObject({ outcome: { kind: 'complete' }, session: { payment_status: 'paid' } })
    expect(await stripe.checkout.sessions.retrieve(session.id)).toMatchObject({ status: 'complete' })
  })

  it('stripe.E6 shows the bank’s question in the page', async () => {
    const session = await inShop()

    const { body } = await sendAsBrowser(url, `/v1/elements/checkout_sessions/${session.id}/confirm`, {
      ...typedCard('4000002760003184'),
      email: 'ada@example.com',
      client_secret: session.client_secret ?? '',
    })

    expect(body).toMatchObject({ outcome: { kind: 'challenge', url: expect.stringContaining('/3ds/') } })
  })
})

describe('a session that saves a card', () => {
  it('stripe.E9 attaches it to the customer', async () => {
    const customer = await stripe.customers.create({ email: 'ada@example.com' })
    const session = await stripe.checkout.sessions.create({
      mode: 'setup',
      currency: 'eur',
      customer: customer.id,
      success_url: SUCCESS,
    })

    await press(url, `/c/pay/${session.id}`, { card: pageCard() })
    const after = await stripe.checkout.sessions.retrieve(session.id, { expand: ['setup_intent'] })
    const cards = await stripe.customers.listPaymentMethods(customer.id)

    expect(after).toMatchObject({
      status: 'complete',
      payment_status: 'no_payment_required',
      setup_intent: { status: 'succeeded', payment_method: cards.data[0]?.id },
    })
  })
})

describe('a session that nobody pays', () => {
  it('stripe.E18 expires after a day, or when the shop wants it to', async () => {
    const own = await localStripe({ settleDelayMs: 0 })
    const left = await sale({}, own.stripe)
    const dropped = await sale({}, own.stripe)
    const told = await typesSince(own.stripe)

    await own.stripe.checkout.sessions.expire(dropped.id)
    await advance(own.url, 24 * 60 * 60)
    const after = await own.stripe.checkout.sessions.retrieve(left.id)

    expect(left.expires_at - left.created).toBe(24 * 60 * 60)
    expect(after).toMatchObject({ status: 'expired', url: null })
    expect(await told()).toEqual(['checkout.session.expired', 'checkout.session.expired'])
    expect(await payOnPage(own.url, left.id)).toEqual({ message: 'This page cannot be used any more.' })
    expect((await fetch(`${own.url}/c/pay/${left.id}`)).status).toBe(410)
  })

  it('stripe.P12 stripe.E18 takes the payment of a declined try along; the payment is not cancelled by itself', async () => {
    const session = await sale()
    await payOnPage(url, session.id, { number: '4000000000000002' })
    const { payment_intent } = await stripe.checkout.sessions.retrieve(session.id)
    const id = String(payment_intent)

    const refused = await errorOf(stripe.paymentIntents.cancel(id))
    const told = await typesSince(stripe)
    await stripe.checkout.sessions.expire(session.id)

    expect(refused).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' })
    expect(refused.message).toContain(session.id)
    expect((await stripe.paymentIntents.retrieve(id)).status).toBe('canceled')
    expect(await told()).toEqual(['checkout.session.expired', 'payment_intent.canceled'])
  })

  it('stripe.E18 leaves no subscription behind that could still be paid', async () => {
    const session = await subscriptionSale()
    await payOnPage(url, session.id, { number: '4000000000000002' })
    const { customer } = await stripe.checkout.sessions.retrieve(session.id)

    await stripe.checkout.sessions.expire(session.id)
    const { data } = await stripe.subscriptions.list({ customer: String(customer), status: 'all' })

    expect(data.map(({ status }) => status)).toEqual(['incomplete_expired'])
  })

  it('stripe.E18 expires between half an hour and a day after it was made', async () => {
    const now = Math.floor(Date.now() / 1000)

    const tooSoon = await errorOf(sale({ expires_at: now + 60 }))
    const tooLate = await errorOf(sale({ expires_at: now + 3 * 24 * 60 * 60 }))

    expect([tooSoon.param, tooLate.param]).toEqual(['expires_at', 'expires_at'])
  })
})

describe('the page', () => {
  it('takes no order from a page of another origin', async () => {
    const session = await sale()

    const response = await fetch(`${url}/c/pay/${session.id}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'http://localhost:3000' },
      body: '{}',
    })

    expect(response.status).toBe(403)
  })

  it('runs no inline script or style, and is framed by nobody', async () => {
    const session = await sale()

    const response = await fetch(`${url}/c/pay/${session.id}`)
    const policy = response.headers.get('content-security-policy') ?? ''

    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(await response.text()).toContain('Local test stand-in, not Stripe')
  })
})

describe('creating a session', () => {
  it('refuses what does not fit the mode', async () => {
    const { price } = await aSubscriber(stripe)

    const recurring = await errorOf(sale({ line_items: [{ price: price.id, quantity: 1 }] }))
    const once = await errorOf(sale({ mode: 'subscription' }))
    const empty = await errorOf(sale({ line_items: [] }))

    expect([recurring.param, once.param, empty.param]).toEqual(['line_items', 'line_items', 'line_items'])
  })
})
