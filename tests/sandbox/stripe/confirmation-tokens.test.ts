import { describe, expect, it } from 'vitest'
import { advance, errorOf, localStripe, sendAsBrowser, typedCard } from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

const tokenFor = (payment_method: string, params = {}) =>
  stripe.testHelpers.confirmationTokens.create({ payment_method, ...params })

const createAndConfirm = (confirmation_token: string) =>
  stripe.paymentIntents.create({ amount: 1900, currency: 'usd', confirm: true, confirmation_token })

describe('confirmation tokens', () => {
  it('a token of Stripe.js previews the card, and the server pays with it', async () => {
    const made = await sendAsBrowser(url, '/v1/confirmation_tokens', {
      ...typedCard('4242424242424242'),
      return_url: 'http://localhost:3000/back',
    })
    const token = await stripe.confirmationTokens.retrieve(String(made.body.id))

    const paid = await createAndConfirm(token.id)

    expect(made.status).toBe(200)
    expect(token).toMatchObject({
      object: 'confirmation_token',
      payment_intent: null,
      return_url: 'http://localhost:3000/back',
      use_stripe_sdk: true,
      payment_method_preview: { type: 'card', card: { brand: 'visa', last4: '4242' } },
    })
    expect(paid.status).toBe('succeeded')
    expect(paid.payment_method).toMatch(/^pm_1/)
    expect((await stripe.confirmationTokens.retrieve(token.id)).payment_intent).toBe(paid.id)
  })

  it('a token is used once', async () => {
    const token = await tokenFor('pm_card_visa')
    await createAndConfirm(token.id)

    expect(await errorOf(createAndConfirm(token.id))).toMatchObject({
      statusCode: 400,
      param: 'confirmation_token',
    })
  })

  it('a token that was declined is used up, and the next one pays the same intent', async () => {
    const first = await tokenFor('pm_card_visa_chargeDeclined')
    const error = await errorOf(createAndConfirm(first.id))
    const second = await tokenFor('pm_card_visa')

    const paid = await stripe.paymentIntents.confirm(error.payment_intent?.id ?? '', {
      confirmation_token: second.id,
    })

    expect(error.statusCode).toBe(402)
    expect(paid.status).toBe('succeeded')
  })

  it('it carries shipping and the wish to keep the card; the request takes precedence', async () => {
    const customer = (await stripe.customers.create()).id
    const intent = await stripe.paymentIntents.create({ amount: 1900, currency: 'usd', customer })
    const token = await tokenFor('pm_card_visa', {
      setup_future_usage: 'off_session',
      shipping: { name: 'Ada', address: { line1: 'Main Street 1', country: 'NL' } },
    })

    const paid = await stripe.paymentIntents.confirm(intent.id, {
      confirmation_token: token.id,
      payment_method: 'pm_card_mastercard',
      expand: ['payment_method'],
    })

    expect(paid).toMatchObject({
      setup_future_usage: 'off_session',
      shipping: { name: 'Ada', address: { line1: 'Main Street 1' } },
      payment_method: { customer, card: { brand: 'mastercard' } },
    })
  })

  it('it confirms a SetupIntent and keeps the card', async () => {
    const customer = (await stripe.customers.create()).id
    const token = await tokenFor('pm_card_visa')

    const setup = await stripe.setupIntents.create({
      customer,
      confirm: true,
      confirmation_token: token.id,
    })

    expect(setup.status).toBe('succeeded')
    expect((await stripe.confirmationTokens.retrieve(token.id)).setup_intent).toBe(setup.id)
    expect((await stripe.customers.listPaymentMethods(customer)).data).toHaveLength(1)
  })

  it('it needs confirm, ends after twelve hours and must exist', async () => {
    const token = await tokenFor('pm_card_visa')
    const withoutConfirm = await errorOf(
      stripe.paymentIntents.create({ amount: 1900, currency: 'usd', confirmation_token: token.id }),
    )
    const unknown = await errorOf(createAndConfirm('ctoken_none'))
    await advance(url, 12 * 3600)

    expect(withoutConfirm).toMatchObject({ statusCode: 400, param: 'confirmation_token' })
    expect(unknown).toMatchObject({ statusCode: 400, code: 'resource_missing' })
    expect((await errorOf(createAndConfirm(token.id))).message).toContain('expired')
  })

  it('a saved card becomes a token that pays for its customer', async () => {
    const customer = (await stripe.customers.create()).id
    const card = await stripe.paymentMethods.attach('pm_card_visa', { customer })
    const token = await tokenFor(card.id)

    const paid = await stripe.paymentIntents.create({
      amount: 1900,
      currency: 'usd',
      customer,
      confirm: true,
      confirmation_token: token.id,
    })

    expect(token.payment_method_preview?.customer).toBe(customer)
    expect(paid.payment_method).toBe(card.id)
  })
})
