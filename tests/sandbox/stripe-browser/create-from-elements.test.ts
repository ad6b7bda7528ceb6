import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createIntent, fillCard, startWorld, type Visit, visit, type World } from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const DEFERRED = { deferred: { amount: 1099, currency: 'usd' } }

let world: World
let shop: Visit
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())
afterEach(async () => {
  expect(shop.problems).toEqual([])
  await shop.close()
})

/** `stripe.<name>({ elements, params })` in the page, after elements.submit() unless told otherwise. */
function create(name: 'createConfirmationToken' | 'createPaymentMethod', params = {}, submit = true) {
  return shop.page.evaluate(
    async ([method, given, first]) => {
      const { stripe, elements } = window.shop
      const submitted = first ? await elements?.submit() : {}
      if (submitted?.error) return submitted
      const methods = stripe as unknown as Record<string, (options: object) => Promise<object>>
      return methods[method]?.({ elements, params: given }).catch((error: Error) => ({
        thrown: `${error.name} ${error.message}`,
      }))
    },
    [name, params, submit] as const,
  )
}

describe('stripe.createConfirmationToken()', () => {
  it('makes a token that the server pays with', async () => {
    shop = await visit(world, null, DEFERRED)
    await fillCard(shop, '4242424242424242')

    const result = await create('createConfirmationToken', { return_url: 'http://localhost/return' })
    const { confirmationToken } = result as {
      confirmationToken: { id: string; payment_method_preview: object }
    }

    expect(confirmationToken.payment_method_preview).toMatchObject({ card: { last4: '4242' } })
    const paid = await world.sdk.paymentIntents.create({
      amount: 1099,
      currency: 'usd',
      confirm: true,
      confirmation_token: confirmationToken.id,
    })
    expect(paid.status).toBe('succeeded')
  })

  it('a token whose payment needs a challenge is finished in the page', async () => {
    shop = await visit(world, null, DEFERRED)
    await fillCard(shop, '4000002760003184')
    const result = await create('createConfirmationToken')
    const { confirmationToken } = result as { confirmationToken: { id: string } }
    const waiting = await world.sdk.paymentIntents.create({
      amount: 1099,
      currency: 'usd',
      confirm: true,
      confirmation_token: confirmationToken.id,
    })

    const finished = shop.page.evaluate(
      (clientSecret) => window.shop.stripe?.handleNextAction({ clientSecret }),
      waiting.client_secret ?? '',
    )
    await shop.page.frameLocator('dialog[open] iframe').locator('#test-source-authorize-3ds').click()

    expect(await finished).toMatchObject({ paymentIntent: { id: waiting.id, status: 'succeeded' } })
  })

  it('it needs elements.submit() first, which says what is wrong in the fields', async () => {
    shop = await visit(world, null, DEFERRED)

    expect(await create('createConfirmationToken', {}, false)).toMatchObject({
      thrown: expect.stringContaining('IntegrationError elements.submit() must be called before'),
    })
    expect(await create('createConfirmationToken')).toMatchObject({
      error: { type: 'validation_error', code: 'incomplete_number' },
    })
  })

  it('confirmPayment() takes a token, too', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, DEFERRED)
    await fillCard(shop, '4242424242424242')
    const { confirmationToken } = (await create('createConfirmationToken')) as {
      confirmationToken: { id: string }
    }

    const result = await shop.page.evaluate(
      ([clientSecret, confirmation_token]) =>
        window.shop.stripe?.confirmPayment({
          clientSecret,
          confirmParams: { confirmation_token },
          redirect: 'if_required',
        }),
      [intent.client_secret ?? '', confirmationToken.id] as const,
    )

    expect(result).toMatchObject({ paymentIntent: { status: 'succeeded' } })
  })
})

describe('stripe.createPaymentMethod()', () => {
  it('makes a payment method that the server pays with', async () => {
    shop = await visit(world, null, { ...DEFERRED, paymentMethodCreation: 'manual' })
    await fillCard(shop, '5555555555554444')

    const result = await create('createPaymentMethod', { billing_details: { name: 'Ada' } })
    const { paymentMethod } = result as { paymentMethod: { id: string } }

    expect(paymentMethod).toMatchObject({
      billing_details: { name: 'Ada' },
      card: { brand: 'mastercard', last4: '4444' },
    })
    const paid = await world.sdk.paymentIntents.create({
      amount: 1099,
      currency: 'usd',
      confirm: true,
      payment_method: paymentMethod.id,
    })
    expect(paid.status).toBe('succeeded')
  })

  it('needs a group that leaves the making of payment methods to the page', async () => {
    shop = await visit(world, null, DEFERRED)
    await fillCard(shop, '4242424242424242')

    expect(await create('createPaymentMethod')).toMatchObject({
      thrown: expect.stringContaining("paymentMethodCreation: 'manual'"),
    })
  })
})
