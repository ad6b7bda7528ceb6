import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { completeChallenge } from '../../../sandbox/stripe/payments/challenge.ts'
import {
  asSecret,
  errorOf,
  eventTypesOf,
  localStripe,
  PUBLISHABLE_KEY,
  send,
  sendAsBrowser,
  typedCard,
} from './support/local-stripe.ts'

const { url, stripe, store } = await localStripe()

const newCustomer = async () => (await stripe.customers.create()).id

/** Confirm a fresh SetupIntent as Stripe.js would. */
async function setUp(payment_method: string, params: Partial<Stripe.SetupIntentCreateParams> = {}) {
  return stripe.setupIntents.create({ payment_method, confirm: true, use_stripe_sdk: true, ...params })
}

/** Answer the challenge that an intent waits for, and read the intent again. */
async function answer(setup: Stripe.SetupIntent, outcome: 'pass' | 'fail') {
  const source = setup.next_action?.use_stripe_sdk?.source
  const done = completeChallenge(store, String(source), outcome)
  expect(done?.challenge.intentId).toBe(setup.id)
  return stripe.setupIntents.retrieve(setup.id)
}

const pay = (customer: string, payment_method: string, off_session = true) =>
  stripe.paymentIntents.create({
    amount: 1900,
    currency: 'usd',
    customer,
    payment_method,
    off_session,
    confirm: true,
  })

async function eventsAbout(setup: Stripe.SetupIntent): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 100 })
  const ofMethod = String(setup.payment_method)
  return data
    .filter(({ data: { object } }) => 'id' in object && [setup.id, ofMethod].includes(String(object.id)))
    .map(({ type }) => type)
    .reverse()
}

describe('the states of a SetupIntent', () => {
  it('stripe.P1 created without a payment method it requires one, for use without the customer', async () => {
    const setup = await stripe.setupIntents.create()

    expect(setup).toMatchObject({
      object: 'setup_intent',
      status: 'requires_payment_method',
      usage: 'off_session',
      latest_attempt: null,
      payment_method: null,
    })
    expect(setup.client_secret).toMatch(new RegExp(`^${setup.id}_secret_`))
  })

  it('stripe.P2 created with a payment method it requires confirmation', async () => {
    const setup = await stripe.setupIntents.create({ payment_method: 'pm_card_visa', usage: 'on_session' })

    expect(setup).toMatchObject({ status: 'requires_confirmation', usage: 'on_session' })
  })

  it("stripe.P3 confirmed with a good card it succeeds and the card is the customer's", async () => {
    const customer = await newCustomer()
    const setup = await stripe.setupIntents.create({ customer })

    const done = await stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa' })

    expect(done.status).toBe('succeeded')
    const { data } = await stripe.customers.listPaymentMethods(customer)
    expect(data.map(({ id }) => id)).toEqual([done.payment_method])
  })

  it("without a customer the card stays nobody's and can be attached later", async () => {
    const setup = await setUp('pm_card_visa')
    const customer = await newCustomer()

    const before = await stripe.paymentMethods.retrieve(String(setup.payment_method))
    const after = await stripe.paymentMethods.attach(before.id, { customer })

    expect(before.customer).toBeNull()
    expect(after.customer).toBe(customer)
  })

  it('stripe.P5 stripe.C12 a card that declines is not kept: 402 with the SetupIntent, which takes another', async () => {
    const customer = await newCustomer()
    const setup = await stripe.setupIntents.create({ customer })

    const error = await errorOf(
      stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa_chargeDeclined' }),
    )
    const after = await stripe.setupIntents.retrieve(setup.id, { expand: ['latest_attempt'] })

    expect(error).toMatchObject({ statusCode: 402, code: 'card_declined', decline_code: 'generic_decline' })
    expect(error.setup_intent).toMatchObject({ id: setup.id, status: 'requires_payment_method' })
    expect(after).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      last_setup_error: { code: 'card_declined', type: 'card_error' },
      latest_attempt: { object: 'setup_attempt', status: 'failed', setup_error: { code: 'card_declined' } },
    })
    const second = await stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa' })
    expect(second).toMatchObject({ status: 'succeeded', last_setup_error: null })
  })

  it('stripe.C11 a card whose charges fail can be kept', async () => {
    expect((await setUp('pm_card_chargeCustomerFail', { customer: await newCustomer() })).status).toBe(
      'succeeded',
    )
  })

  it('stripe.P4 stripe.P6 a challenge makes it wait, and passing it finishes', async () => {
    const customer = await newCustomer()
    const waiting = await setUp('pm_card_authenticationRequiredOnSetup', { customer })

    const done = await answer(waiting, 'pass')

    expect(waiting).toMatchObject({
      status: 'requires_action',
      next_action: { type: 'use_stripe_sdk' },
    })
    expect(done).toMatchObject({ status: 'succeeded', next_action: null })
    const { data } = await stripe.setupAttempts.list({ setup_intent: waiting.id })
    expect(data).toHaveLength(1)
    expect(data[0]).toMatchObject({
      id: done.latest_attempt,
      status: 'succeeded',
      payment_method_details: { card: { three_d_secure: { result: 'authenticated' } } },
    })
  })

  it('stripe.P7 a failed challenge is setup_intent_authentication_failure and keeps nothing', async () => {
    const customer = await newCustomer()
    const waiting = await setUp('pm_card_threeDSecure2Required', { customer })

    const failed = await answer(waiting, 'fail')

    expect(failed).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      last_setup_error: { type: 'invalid_request_error', code: 'setup_intent_authentication_failure' },
    })
    expect((await stripe.customers.listPaymentMethods(customer)).data).toEqual([])
    const { data } = await stripe.setupAttempts.list({ setup_intent: waiting.id })
    expect(data.map(({ status }) => status)).toEqual(['failed'])
  })

  it('stripe.P16 without Stripe.js the challenge is a redirect that comes back with the SetupIntent', async () => {
    const setup = await stripe.setupIntents.create({ payment_method: 'pm_card_authenticationRequired' })
    const missing = await errorOf(stripe.setupIntents.confirm(setup.id))
    const waiting = await stripe.setupIntents.confirm(setup.id, { return_url: 'http://localhost:3000/cards' })

    const token = String(waiting.next_action?.redirect_to_url?.url).split('/3ds/')[1] ?? ''
    const done = completeChallenge(store, token, 'pass')

    expect(missing).toMatchObject({ statusCode: 400, param: 'return_url' })
    expect(waiting.next_action?.type).toBe('redirect_to_url')
    const back = new URL(done?.redirectTo ?? '')
    expect(Object.fromEntries(back.searchParams)).toEqual({
      setup_intent: setup.id,
      setup_intent_client_secret: setup.client_secret,
      redirect_status: 'succeeded',
    })
  })

  it('stripe.P10 it can be canceled while it is open, which gives up a challenge', async () => {
    const waiting = await setUp('pm_card_threeDSecure2Required')

    const canceled = await stripe.setupIntents.cancel(waiting.id, { cancellation_reason: 'abandoned' })
    const late = await answer(waiting, 'pass')

    expect(canceled).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'abandoned',
      next_action: null,
    })
    expect(late.status).toBe('canceled')
    const { data } = await stripe.setupAttempts.list({ setup_intent: waiting.id })
    expect(data.map(({ status }) => status)).toEqual(['abandoned'])
  })

  it('a customer who walks away from the challenge leaves it waiting', async () => {
    const waiting = await send(url, '/v1/setup_intents', {
      body: new URLSearchParams({
        payment_method: 'pm_card_threeDSecure2Required',
        confirm: 'true',
        use_stripe_sdk: 'true',
      }).toString(),
      headers: { ...asSecret, 'x-local-chaos': 'domain.challengeAbandoned' },
    })
    const setup = await stripe.setupIntents.retrieve(String(waiting.body.id))

    expect((await answer(setup, 'pass')).status).toBe('requires_action')
  })

  it('stripe.P11 a final state takes no action', async () => {
    const { id } = await setUp('pm_card_visa')

    const errors = [
      await errorOf(stripe.setupIntents.confirm(id)),
      await errorOf(stripe.setupIntents.cancel(id)),
      await errorOf(stripe.setupIntents.update(id, { payment_method: 'pm_card_mastercard' })),
    ]

    for (const error of errors) {
      expect(error).toMatchObject({ statusCode: 400, code: 'setup_intent_unexpected_state' })
    }
  })

  it('stripe.P18 a publishable key needs the client secret and sees a part', async () => {
    const customer = await newCustomer()
    const setup = await stripe.setupIntents.create({ customer, metadata: { internal: 'note' } })
    const read = (secret: string) =>
      send(url, `/v1/setup_intents/${setup.id}?client_secret=${secret}`, {
        method: 'GET',
        headers: { authorization: `Bearer ${PUBLISHABLE_KEY}` },
      })

    const mine = await read(String(setup.client_secret))
    const wrong = await read(`${setup.id}_secret_wrong`)

    expect(mine.body).toMatchObject({ id: setup.id, status: 'requires_payment_method' })
    expect(mine.body).not.toHaveProperty('customer')
    expect(mine.body).not.toHaveProperty('metadata')
    expect(wrong).toMatchObject({
      status: 400,
      body: { error: { code: 'setup_intent_invalid_parameter', param: 'client_secret' } },
    })
  })

  it('stripe.P19 another payment method must be confirmed again', async () => {
    const waiting = await setUp('pm_card_threeDSecure2Required')

    const changed = await stripe.setupIntents.update(waiting.id, { payment_method: 'pm_card_visa' })

    expect(changed).toMatchObject({ status: 'requires_confirmation', next_action: null })
    expect((await answer(waiting, 'pass')).status).toBe('requires_confirmation')
  })

  it('a browser confirms with a typed card', async () => {
    const customer = await newCustomer()
    const setup = await stripe.setupIntents.create({ customer })

    const { status, body } = await sendAsBrowser(url, `/v1/setup_intents/${setup.id}/confirm`, {
      client_secret: String(setup.client_secret),
      use_stripe_sdk: 'true',
      ...typedCard('4242424242424242'),
    })

    expect({ status, state: body.status }).toEqual({ status: 200, state: 'succeeded' })
    expect((await stripe.customers.listPaymentMethods(customer)).data).toHaveLength(1)
  })

  it('lists by customer and by payment method, newest first', async () => {
    const customer = await newCustomer()
    const first = await setUp('pm_card_visa', { customer })
    const second = await stripe.setupIntents.create({ customer })

    const ids = ({ data }: { data: { id: string }[] }) => data.map(({ id }) => id)

    expect(ids(await stripe.setupIntents.list({ customer }))).toEqual([second.id, first.id])
    expect(ids(await stripe.setupIntents.list({ payment_method: String(first.payment_method) }))).toEqual([
      first.id,
    ])
  })

  it('a card of another customer is refused', async () => {
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer: await newCustomer() })

    const error = await errorOf(
      stripe.setupIntents.create({ customer: await newCustomer(), payment_method: card.id }),
    )

    expect(error).toMatchObject({ statusCode: 400, param: 'payment_method' })
  })
})

describe('paying later with a card that was set up', () => {
  const cardFrom = async (template: string, usage: 'off_session' | 'on_session' = 'off_session') => {
    const customer = await newCustomer()
    const setup = await setUp(template, { customer, usage })
    const done = setup.status === 'requires_action' ? await answer(setup, 'pass') : setup
    return { customer, card: String(done.payment_method) }
  }

  it('stripe.C13 pays without the customer once it was authenticated for that', async () => {
    const { customer, card } = await cardFrom('pm_card_authenticationRequiredOnSetup')

    expect((await pay(customer, card)).status).toBe('succeeded')
  })

  it('stripe.C13 stripe.P14 set up for payments with the customer only, it asks for them', async () => {
    const { customer, card } = await cardFrom('pm_card_authenticationRequiredOnSetup', 'on_session')

    const error = await errorOf(pay(customer, card))

    expect(error).toMatchObject({ statusCode: 402, code: 'authentication_required' })
    expect(error.payment_intent).toMatchObject({ status: 'requires_payment_method' })
  })

  it('stripe.C14 stripe.P14 declines with authentication_required however it was set up', async () => {
    const { customer, card } = await cardFrom('pm_card_authenticationRequired')

    const error = await errorOf(pay(customer, card))

    expect(error).toMatchObject({
      statusCode: 402,
      code: 'authentication_required',
      decline_code: 'authentication_required',
    })
    expect(error.payment_method).toMatchObject({ id: card })
  })

  it('stripe.P14 the same payment succeeds with the customer there to answer', async () => {
    const { customer, card } = await cardFrom('pm_card_authenticationRequired')
    const error = await errorOf(pay(customer, card))

    const waiting = await stripe.paymentIntents.confirm(error.payment_intent?.id ?? '', {
      payment_method: card,
      use_stripe_sdk: true,
    })
    const source = (waiting.next_action?.use_stripe_sdk as { source?: string } | undefined)?.source
    completeChallenge(store, String(source), 'pass')

    expect((await stripe.paymentIntents.retrieve(waiting.id)).status).toBe('succeeded')
  })

  it('stripe.C15 is challenged with the customer there, and pays without them', async () => {
    const { customer, card } = await cardFrom('pm_card_authenticationRequiredSetupForOffSession')

    expect((await pay(customer, card)).status).toBe('succeeded')
  })

  it('stripe.C16 is kept, and every payment with it lacks the money', async () => {
    const { customer, card } = await cardFrom('pm_card_authenticationRequiredChargeDeclinedInsufficientFunds')
    const waiting = await stripe.paymentIntents.create({
      amount: 1900,
      currency: 'usd',
      customer,
      payment_method: card,
      confirm: true,
      use_stripe_sdk: true,
    })
    const source = (waiting.next_action?.use_stripe_sdk as { source?: string } | undefined)?.source
    completeChallenge(store, String(source), 'pass')

    expect((await stripe.paymentIntents.retrieve(waiting.id)).last_payment_error).toMatchObject({
      decline_code: 'insufficient_funds',
    })
  })
})

describe('the events of a SetupIntent', () => {
  it('stripe.E9 a saved card: created, attached, succeeded', async () => {
    const setup = await setUp('pm_card_visa', { customer: await newCustomer() })

    expect(await eventsAbout(setup)).toEqual([
      'setup_intent.created',
      'payment_method.attached',
      'setup_intent.succeeded',
    ])
  })

  it('stripe.E10 a setup that needs action says so, and a failed challenge too', async () => {
    const waiting = await setUp('pm_card_threeDSecure2Required', { customer: await newCustomer() })
    await answer(waiting, 'fail')

    expect(await eventTypesOf(stripe, waiting.id)).toEqual([
      'setup_intent.created',
      'setup_intent.requires_action',
      'setup_intent.setup_failed',
    ])
  })

  it('stripe.E10 a refused card is setup_intent.setup_failed', async () => {
    const setup = await stripe.setupIntents.create()
    await errorOf(stripe.setupIntents.confirm(setup.id, { payment_method: 'pm_card_visa_chargeDeclined' }))
    await stripe.setupIntents.cancel(setup.id)

    expect(await eventTypesOf(stripe, setup.id)).toEqual([
      'setup_intent.created',
      'setup_intent.setup_failed',
      'setup_intent.canceled',
    ])
  })
})
