import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import {
  advance,
  errorOf,
  localStripe,
  PUBLISHABLE_KEY,
  send,
  sendAsBrowser,
} from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

const newCustomer = async () => (await stripe.customers.create()).id

const pay = (payment_method: string, params: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({ amount: 1900, currency: 'usd', payment_method, confirm: true, ...params })

const ONCE = /It may not be used again/

describe('keeping a card', () => {
  it('a saved card pays in one step, again and again', async () => {
    const customer = await newCustomer()
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer })

    const payments = [await pay(id, { customer, off_session: true }), await pay(id, { customer })]

    expect(payments.map(({ status, payment_method }) => [status, payment_method])).toEqual([
      ['succeeded', id],
      ['succeeded', id],
    ])
  })

  it('a saved card that has expired meanwhile is declined for it', async () => {
    const customer = await newCustomer()
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    const lastYear = new Date().getUTCFullYear() - 1
    await stripe.paymentMethods.update(id, { card: { exp_month: 12, exp_year: lastYear } })

    expect(await errorOf(pay(id, { customer }))).toMatchObject({ statusCode: 402, code: 'expired_card' })
  })

  it('a card that paid without a customer cannot pay again or be attached', async () => {
    const { payment_method } = await pay('pm_card_visa')
    const card = String(payment_method)

    expect((await errorOf(pay(card))).message).toMatch(ONCE)
    const attaching = stripe.paymentMethods.attach(card, { customer: await newCustomer() })
    expect((await errorOf(attaching)).message).toMatch(ONCE)
  })

  it('the same for a PaymentIntent of a customer that did not ask to keep it', async () => {
    const customer = await newCustomer()
    const { payment_method } = await pay('pm_card_visa', { customer })

    const error = await errorOf(pay(String(payment_method), { customer }))

    expect(error).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError' })
    expect(error.message).toMatch(ONCE)
  })

  it('setup_future_usage with a customer attaches the card, without one it may be attached later', async () => {
    const customer = await newCustomer()
    const kept = await pay('pm_card_visa', { customer, setup_future_usage: 'on_session' })
    const loose = await pay('pm_card_visa', { setup_future_usage: 'off_session' })

    const attached = await stripe.paymentMethods.attach(String(loose.payment_method), { customer })

    const { data } = await stripe.customers.listPaymentMethods(customer)
    expect(data.map(({ id }) => id)).toEqual([attached.id, kept.payment_method])
  })

  it("stripe.E11 a detached card is nobody's and can neither pay nor come back", async () => {
    const customer = await newCustomer()
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer })

    const detached = await stripe.paymentMethods.detach(id)

    expect(detached.customer).toBeNull()
    expect((await errorOf(pay(id))).message).toMatch(ONCE)
    expect((await errorOf(stripe.paymentMethods.attach(id, { customer }))).message).toMatch(ONCE)
    expect((await errorOf(stripe.paymentMethods.detach(id))).message).toContain('not attached')
  })

  it('a card attached to one customer is not attached to another', async () => {
    const { id } = await stripe.paymentMethods.attach('pm_card_visa', { customer: await newCustomer() })

    const error = await errorOf(stripe.paymentMethods.attach(id, { customer: await newCustomer() }))

    expect(error.message).toContain('already been attached')
  })

  it('an update merges metadata and billing details, and needs a customer', async () => {
    const customer = await newCustomer()
    const loose = await stripe.paymentMethods.create({ type: 'card', card: { token: 'tok_visa' } })
    const refused = await errorOf(stripe.paymentMethods.update(loose.id, { allow_redisplay: 'always' }))
    await stripe.paymentMethods.attach(loose.id, { customer })

    const updated = await stripe.paymentMethods.update(loose.id, {
      allow_redisplay: 'limited',
      billing_details: { name: 'Ada', address: { country: 'NL' } },
      card: { exp_month: 6, exp_year: 2041 },
      metadata: { order: '7' },
    })

    expect(refused).toMatchObject({ statusCode: 400 })
    expect(updated).toMatchObject({
      allow_redisplay: 'limited',
      billing_details: { name: 'Ada', address: { country: 'NL' }, email: null },
      card: { exp_month: 6, exp_year: 2041, last4: '4242' },
      metadata: { order: '7' },
    })
    const { data } = await stripe.events.list({ type: 'payment_method.updated', limit: 1 })
    expect(data[0]?.data.previous_attributes).toMatchObject({ allow_redisplay: 'unspecified' })
  })

  it("stripe.R5 one card of a customer is read by its address, another's is unknown there", async () => {
    const customer = await newCustomer()
    const mine = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    const other = await stripe.paymentMethods.attach('pm_card_visa', { customer: await newCustomer() })

    expect((await stripe.customers.retrievePaymentMethod(customer, mine.id)).id).toBe(mine.id)
    expect(await errorOf(stripe.customers.retrievePaymentMethod(customer, other.id))).toMatchObject({
      statusCode: 404,
      code: 'resource_missing',
    })
  })
})

describe('customer sessions', () => {
  type Features = Stripe.CustomerSessionCreateParams.Components.PaymentElement.Features

  const openFor = (customer: string, features: Features = {}) =>
    stripe.customerSessions.create({
      customer,
      components: { payment_element: { enabled: true, features } },
    })

  /** What the Payment Element is told. */
  const elementsSession = (clientSecret: string) =>
    send(url, `/v1/elements/sessions?customer_session_client_secret=${clientSecret}`, {
      method: 'GET',
      headers: { authorization: `Bearer ${PUBLISHABLE_KEY}` },
    })

  it("says what it allows, with Stripe's defaults, for half an hour", async () => {
    const customer = await newCustomer()

    const session = await openFor(customer)

    expect(session.client_secret).toMatch(/^cuss_secret_/)
    expect(session.expires_at - session.created).toBe(1800)
    expect(session).not.toHaveProperty('id')
    expect(session.components?.payment_element).toEqual({
      enabled: true,
      features: {
        payment_method_allow_redisplay_filters: ['always'],
        payment_method_redisplay: 'disabled',
        payment_method_redisplay_limit: 3,
        payment_method_remove: 'disabled',
        payment_method_save: 'disabled',
        payment_method_save_usage: null,
      },
    })
  })

  it('shows the cards that may be shown again, as many as allowed, without their fingerprints', async () => {
    const customer = await newCustomer()
    const shown: string[] = []
    for (const allow_redisplay of ['always', 'limited', 'unspecified', 'always', 'always'] as const) {
      const card = await stripe.paymentMethods.attach('pm_card_visa', { customer })
      await stripe.paymentMethods.update(card.id, { allow_redisplay })
      if (allow_redisplay === 'always') shown.unshift(card.id)
    }
    const ids = async (features: Features) => {
      const { body } = await elementsSession((await openFor(customer, features)).client_secret)
      return (body.payment_methods as Stripe.PaymentMethod[]).map(({ id }) => id)
    }

    expect(await ids({})).toEqual([])
    expect(await ids({ payment_method_redisplay: 'enabled' })).toEqual(shown)
    expect(await ids({ payment_method_redisplay: 'enabled', payment_method_redisplay_limit: 2 })).toEqual(
      shown.slice(0, 2),
    )
    const everything: Features = {
      payment_method_redisplay: 'enabled',
      payment_method_redisplay_limit: 10,
      payment_method_allow_redisplay_filters: ['always', 'limited', 'unspecified'],
    }
    expect(await ids(everything)).toHaveLength(5)
    const { body } = await elementsSession((await openFor(customer, everything)).client_secret)
    expect(JSON.stringify(body)).not.toContain('fingerprint')
  })

  it('lets the browser remove a card of that customer only, and only when allowed', async () => {
    const customer = await newCustomer()
    const mine = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    const other = await stripe.paymentMethods.attach('pm_card_visa', { customer: await newCustomer() })
    const remove = async (features: Features, payment_method: string) =>
      sendAsBrowser(url, '/v1/elements/sessions/detach', {
        customer_session_client_secret: (await openFor(customer, features)).client_secret,
        payment_method,
      })

    expect((await remove({}, mine.id)).status).toBe(403)
    expect((await remove({ payment_method_remove: 'enabled' }, other.id)).status).toBe(400)
    expect(await remove({ payment_method_remove: 'enabled' }, mine.id)).toMatchObject({
      status: 200,
      body: { id: mine.id, customer: null },
    })
    expect((await stripe.customers.listPaymentMethods(customer)).data).toEqual([])
  })

  it('an unknown secret and one that is over are refused', async () => {
    const session = await openFor(await newCustomer())
    const unknown = await elementsSession('cuss_secret_nobody')

    await advance(url, 31 * 60)

    expect(unknown).toMatchObject({ status: 400, body: { error: { code: 'resource_missing' } } })
    expect(await elementsSession(session.client_secret)).toMatchObject({
      status: 400,
      body: { error: { code: 'customer_session_expired' } },
    })
  })

  it('a server cannot use the addresses of Stripe.js without knowing a secret', async () => {
    expect((await elementsSession('')).status).toBe(400)
  })
})
