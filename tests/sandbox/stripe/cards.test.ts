import type Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { completeChallenge } from '../../../sandbox/stripe/payments/challenge.ts'
import { errorOf, localStripe, sendAsBrowser, typedCard } from './support/local-stripe.ts'

const { url, stripe, store } = await localStripe()

const create = () => stripe.paymentIntents.create({ amount: 2500, currency: 'usd' })
const pay = (payment_method: string, params: Partial<Stripe.PaymentIntentCreateParams> = {}) =>
  stripe.paymentIntents.create({ amount: 2500, currency: 'usd', payment_method, confirm: true, ...params })

/** Type a number into the card form of a fresh PaymentIntent. */
async function type(number: string, rest: Parameters<typeof typedCard>[1] = {}) {
  const { id, client_secret } = await create()
  return sendAsBrowser(url, `/v1/payment_intents/${id}/confirm`, {
    client_secret: client_secret ?? '',
    use_stripe_sdk: 'true',
    ...typedCard(number, rest),
  })
}

async function chargeOf(intent: Stripe.PaymentIntent): Promise<Stripe.Charge> {
  return stripe.charges.retrieve(String(intent.latest_charge))
}

/** Answer the challenge that an intent waits for. */
function answer(intent: Stripe.PaymentIntent, outcome: 'pass' | 'fail') {
  const token = intent.next_action?.use_stripe_sdk as { source?: string } | undefined
  return completeChallenge(store, token?.source ?? '', outcome)
}

describe('cards that pay', () => {
  it('stripe.C1 4242 succeeds and is never challenged, even when 3-D Secure is asked for', async () => {
    const plain = await pay('pm_card_visa')
    const asked = await pay('pm_card_visa', {
      payment_method_options: { card: { request_three_d_secure: 'any' } },
    })

    expect(plain.status).toBe('succeeded')
    expect(asked.status).toBe('succeeded')
    expect((await type('4242 4242 4242 4242')).body.status).toBe('succeeded')
  })

  it.each([
    ['5555555555554444', 'pm_card_mastercard', 'mastercard', 'credit'],
    ['4000056655665556', 'pm_card_visa_debit', 'visa', 'debit'],
    ['6011111111111117', 'pm_card_discover', 'discover', 'credit'],
    ['3566002020360505', 'pm_card_jcb', 'jcb', 'credit'],
    ['3056930009020004', 'pm_card_diners', 'diners', 'credit'],
  ])('stripe.C34 %s pays as %s with its brand', async (number, template, brand, funding) => {
    const typed = await type(number)
    const paid = await pay(template, { expand: ['payment_method'] })

    expect(typed.body.status).toBe('succeeded')
    expect(paid.payment_method).toMatchObject({ card: { brand, funding, last4: number.slice(-4) } })
  })

  it('stripe.C21 American Express pays with a code of four digits and without 3-D Secure', async () => {
    const typed = await type('378282246310005', { cvc: '1234' })
    const asked = await pay('pm_card_amex_threeDSecureNotSupported', {
      payment_method_options: { card: { request_three_d_secure: 'any' } },
    })

    expect(typed.body.status).toBe('succeeded')
    expect((await chargeOf(asked)).payment_method_details?.card?.three_d_secure?.result).toBe('not_supported')
  })

  it('stripe.C22 3-D Secure asked for on another card is answered attempt_acknowledged', async () => {
    const intent = await pay('pm_card_mastercard', {
      payment_method_options: { card: { request_three_d_secure: 'any' } },
    })

    expect(intent.status).toBe('succeeded')
    expect((await chargeOf(intent)).payment_method_details?.card?.three_d_secure?.result).toBe(
      'attempt_acknowledged',
    )
  })

  it('stripe.C20 a card with optional 3-D Secure is challenged only when it is asked for', async () => {
    const plain = await pay('pm_card_threeDSecureOptional')
    const asked = await pay('pm_card_threeDSecureOptional', {
      payment_method_options: { card: { request_three_d_secure: 'any' } },
      use_stripe_sdk: true,
    })

    expect(plain.status).toBe('succeeded')
    expect(asked.status).toBe('requires_action')
  })

  it.each([
    ['pm_card_riskLevelElevated', { risk_level: 'elevated' }],
    ['pm_card_visa', { risk_level: 'normal' }],
  ])('stripe.C32 %s succeeds with its risk', async (template, outcome) => {
    expect((await chargeOf(await pay(template))).outcome).toMatchObject(outcome)
  })
})

describe('cards that are declined', () => {
  it.each([
    ['C2', '4000000000000002', 'pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    [
      'C3',
      '4000000000009995',
      'pm_card_visa_chargeDeclinedInsufficientFunds',
      'card_declined',
      'insufficient_funds',
    ],
    ['C4', '4000000000009987', 'pm_card_visa_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['C5', '4000000000009979', 'pm_card_visa_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
    ['C6', '4000000000000069', 'pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined],
    ['C7', '4000000000000127', 'pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', undefined],
    ['C8', '4000000000000119', 'pm_card_chargeDeclinedProcessingError', 'processing_error', undefined],
    [
      'C10',
      '4000000000006975',
      'pm_card_visa_chargeDeclinedVelocityLimitExceeded',
      'card_declined',
      'card_velocity_exceeded',
    ],
    ['C11', '4000000000000341', 'pm_card_chargeCustomerFail', 'card_declined', 'generic_decline'],
    ['C31', '4100000000000019', 'pm_card_radarBlock', 'card_declined', 'fraudulent'],
  ])('stripe.%s %s and %s answer 402 %s %s', async (_row, number, template, code, declineCode) => {
    const error = await errorOf(pay(template))
    const typed = await type(number)

    expect(error).toMatchObject({ statusCode: 402, type: 'StripeCardError', code })
    expect(error.decline_code || undefined).toBe(declineCode)
    expect(error.charge).toMatch(/^ch_/)
    expect(typed).toMatchObject({ status: 402, body: { error: { type: 'card_error', code } } })
  })

  it('stripe.C7 an incorrect CVC matters only when one was given', async () => {
    const without = await type('4000000000000127', { cvc: '' })

    expect(without.body.status).toBe('succeeded')
  })

  it.each([
    ['pm_card_visa_chargeDeclined', 'Your card was declined.'],
    ['pm_card_visa_chargeDeclinedInsufficientFunds', 'Your card has insufficient funds.'],
    ['pm_card_chargeDeclinedExpiredCard', 'Your card has expired.'],
    ['pm_card_chargeDeclinedIncorrectCvc', "Your card's security code is incorrect."],
  ])('stripe.R12 %s says: %s', async (template, message) => {
    expect((await errorOf(pay(template))).message).toBe(message)
  })

  it('stripe.C2 the declined charge is kept with its reason', async () => {
    const error = await errorOf(pay('pm_card_visa_chargeDeclined'))

    const charge = await stripe.charges.retrieve(error.charge ?? '')

    expect(charge).toMatchObject({
      status: 'failed',
      paid: false,
      captured: false,
      failure_code: 'card_declined',
      outcome: { type: 'issuer_declined', reason: 'generic_decline', network_status: 'declined_by_network' },
    })
  })

  it('stripe.C12 a card that declines cannot be attached to a customer either', async () => {
    const customer = await stripe.customers.create()

    const error = await errorOf(
      stripe.paymentMethods.attach('pm_card_visa_chargeDeclined', { customer: customer.id }),
    )

    expect(error).toMatchObject({ statusCode: 402, code: 'card_declined' })
    expect((await stripe.customers.listPaymentMethods(customer.id)).data).toEqual([])
  })

  it('stripe.C11 a card that fails later can be attached', async () => {
    const customer = await stripe.customers.create()

    const method = await stripe.paymentMethods.attach('pm_card_chargeCustomerFail', { customer: customer.id })
    const error = await errorOf(pay(method.id, { customer: customer.id }))

    expect(method.customer).toBe(customer.id)
    expect(error.statusCode).toBe(402)
  })
})

describe('card details that no card has', () => {
  it.each([
    ['C9', '4242424242424241', {}, 'incorrect_number'],
    ['C33', '4242424242424242', { month: '13' }, 'invalid_expiry_month'],
    ['C33', '4242424242424242', { year: '95' }, 'invalid_expiry_year'],
    ['C33', '4242424242424242', { year: '2020' }, 'invalid_expiry_year'],
    ['C33', '4242424242424242', { cvc: '99' }, 'invalid_cvc'],
    ['C33', '1234567812345678', {}, 'incorrect_number'],
  ])('stripe.%s %s with %o is %s', async (_row, number, rest, code) => {
    const { status, body } = await type(number, rest)

    expect(status).toBe(402)
    expect(body).toMatchObject({ error: { type: 'card_error', code } })
  })

  it('a valid number that is no test card is declined as a live card', async () => {
    const { status, body } = await type('4539578763621486')

    expect(status).toBe(402)
    expect(body).toMatchObject({ error: { code: 'card_declined', decline_code: 'test_mode_live_card' } })
  })

  it('a card number with a secret key is refused', async () => {
    const error = await errorOf(
      stripe.paymentMethods.create({
        type: 'card',
        card: { number: '4242424242424242', exp_month: 12, exp_year: 2040, cvc: '123' },
      }),
    )

    expect(error.statusCode).toBe(400)
    expect(error.message).toContain('generally unsafe')
  })

  it('no number is kept anywhere', async () => {
    await type('4242424242424242')
    await type('4000000000000002')
    const tables = ['objects', 'events', 'idempotency_keys', 'challenges', 'jobs', 'settings']

    const stored = tables
      .map((table) => JSON.stringify(store.db.prepare(`select * from ${table}`).all()))
      .join()

    expect(stored).toContain('"last4\\":\\"4242')
    expect(stored).not.toContain('4242424242424242')
    expect(stored).not.toContain('4000000000000002')
  })
})

describe('cards that ask for 3-D Secure', () => {
  const offSession = { off_session: true } as const
  const present = { use_stripe_sdk: true } as const

  it.each([
    ['C13', 'pm_card_authenticationRequiredOnSetup'],
    ['C14', 'pm_card_authenticationRequired'],
    ['C15', 'pm_card_authenticationRequiredSetupForOffSession'],
    ['C17', 'pm_card_threeDSecure2Required'],
  ])('stripe.%s %s is challenged and pays once it is passed', async (_row, template) => {
    const waiting = await pay(template, present)

    const done = answer(waiting, 'pass')

    expect(waiting.status).toBe('requires_action')
    expect(done?.status).toBe('succeeded')
    const paid = await stripe.paymentIntents.retrieve(waiting.id)
    expect((await chargeOf(paid)).payment_method_details?.card?.three_d_secure?.result).toBe('authenticated')
  })

  it.each([
    ['C16', 'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['C18', 'pm_card_threeDSecureRequiredChargeDeclined', 'generic_decline'],
  ])('stripe.%s %s passes the challenge and is declined with %s', async (_row, template, declineCode) => {
    const waiting = await pay(template, present)

    const done = answer(waiting, 'pass')

    expect(done?.status).toBe('requires_payment_method')
    const intent = await stripe.paymentIntents.retrieve(waiting.id)
    expect(intent.last_payment_error).toMatchObject({
      type: 'card_error',
      code: 'card_declined',
      decline_code: declineCode,
    })
  })

  it('stripe.C19 a card whose lookup fails is declined without a challenge', async () => {
    const error = await errorOf(pay('pm_card_threeDSecureRequiredProcessingError', present))

    expect(error.code).toBe('card_declined')
  })

  it('stripe.C13 without the customer it needs to have been set up, and then pays', async () => {
    const customer = await stripe.customers.create()
    const notSetUp = await errorOf(pay('pm_card_authenticationRequiredOnSetup', offSession))
    const first = await pay('pm_card_authenticationRequiredOnSetup', {
      ...present,
      customer: customer.id,
      setup_future_usage: 'off_session',
    })
    answer(first, 'pass')

    const { payment_method } = await stripe.paymentIntents.retrieve(first.id)
    const later = await pay(String(payment_method), { ...offSession, customer: customer.id })

    expect(notSetUp.code).toBe('authentication_required')
    expect(later.status).toBe('succeeded')
  })

  it('stripe.C14 without the customer it declines even when it was set up', async () => {
    const customer = await stripe.customers.create()
    const first = await pay('pm_card_authenticationRequired', {
      ...present,
      customer: customer.id,
      setup_future_usage: 'off_session',
    })
    answer(first, 'pass')

    const { payment_method } = await stripe.paymentIntents.retrieve(first.id)
    const error = await errorOf(pay(String(payment_method), { ...offSession, customer: customer.id }))

    expect(error.code).toBe('authentication_required')
  })

  it('stripe.C15 without the customer it pays', async () => {
    const paid = await pay('pm_card_authenticationRequiredSetupForOffSession', offSession)

    expect(paid.status).toBe('succeeded')
  })
})

describe('payment methods', () => {
  it('a template makes a new payment method each time', async () => {
    const first = await pay('pm_card_visa')
    const second = await pay('pm_card_visa')

    expect(first.payment_method).toMatch(/^pm_1/)
    expect(second.payment_method).not.toBe(first.payment_method)
  })

  it('one card has one fingerprint; another card another', async () => {
    const fingerprint = async (token: string) =>
      (await stripe.paymentMethods.create({ type: 'card', card: { token } })).card?.fingerprint

    expect(await fingerprint('tok_visa')).toBe(await fingerprint('tok_visa'))
    expect(await fingerprint('tok_visa')).not.toBe(await fingerprint('tok_mastercard'))
  })

  it('a browser makes a payment method from a typed card and sees no fingerprint', async () => {
    const fields = Object.entries(typedCard('4242424242424242')).map(([name, value]) => [
      name.replace(/^payment_method_data\[(\w+)\]/, '$1'),
      value,
    ])

    const made = await sendAsBrowser(url, '/v1/payment_methods', Object.fromEntries(fields))

    expect(made).toMatchObject({ status: 200, body: { object: 'payment_method', card: { last4: '4242' } } })
    expect(made.body.card).not.toHaveProperty('fingerprint')
    expect((await pay(String(made.body.id))).status).toBe('succeeded')
  })

  it('a saved card is listed with its customer, and pays for that customer only', async () => {
    const [owner, other] = [await stripe.customers.create(), await stripe.customers.create()]
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: owner.id })

    const error = await errorOf(pay(method.id, { customer: other.id }))

    expect((await stripe.customers.listPaymentMethods(owner.id)).data.map(({ id }) => id)).toEqual([
      method.id,
    ])
    expect((await stripe.paymentMethods.list({ customer: other.id })).data).toEqual([])
    expect(error).toMatchObject({ statusCode: 400, param: 'payment_method' })
    expect((await pay(method.id, { customer: owner.id })).status).toBe('succeeded')
  })

  it('stripe.E11 detaching tells whose card it was', async () => {
    const customer = await stripe.customers.create()
    const method = await stripe.paymentMethods.attach('pm_card_visa', { customer: customer.id })

    await stripe.paymentMethods.detach(method.id)

    const { data } = await stripe.events.list({ type: 'payment_method.detached', limit: 1 })
    expect(data[0]?.data).toMatchObject({
      object: { id: method.id, customer: null },
      previous_attributes: { customer: customer.id },
    })
  })

  it('an unknown template or id is 400 in a parameter, 404 in the address', async () => {
    expect(await errorOf(pay('pm_card_nothing'))).toMatchObject({ statusCode: 400, code: 'resource_missing' })
    expect(await errorOf(stripe.paymentMethods.retrieve('pm_none'))).toMatchObject({ statusCode: 404 })
  })
})
