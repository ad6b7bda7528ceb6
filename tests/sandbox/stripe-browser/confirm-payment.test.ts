import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createIntent, fillCard, startWorld, type Visit, visit, type World } from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

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

describe('confirming with the card fields', () => {
  it('a good card pays', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toBe('paid succeeded')
    expect((await world.sdk.paymentIntents.retrieve(intent.id)).status).toBe('succeeded')
  })

  it('a declined card says why, and the same PaymentIntent takes the next card', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)

    await fillCard(shop, '4000000000009995')
    const first = await shop.pay()
    await fillCard(shop, '4242424242424242')
    const second = await shop.pay()

    expect(first).toBe('error card_error card_declined insufficient_funds Your card has insufficient funds.')
    expect(second).toBe('paid succeeded')
    expect((await world.sdk.paymentIntents.retrieve(intent.id)).status).toBe('succeeded')
  })

  it('the error carries the PaymentIntent as it is now', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    await fillCard(shop, '4000000000000002')
    await shop.pay()

    expect(await shop.page.evaluate(() => window.shop.lastResult)).toMatchObject({
      error: { payment_intent: { id: intent.id, status: 'requires_payment_method' } },
    })
  })

  it('the country chosen in the form reaches the payment method', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, {
      paymentElement: { defaultValues: { billingDetails: { address: { country: 'NL' } } } },
    })
    await fillCard(shop, '4242424242424242')
    await shop.pay()

    const paid = await world.sdk.paymentIntents.retrieve(intent.id, { expand: ['payment_method'] })
    expect(paid.payment_method).toMatchObject({ billing_details: { address: { country: 'NL' } } })
  })

  it("redirect: 'always' leaves for the return address with Stripe's three parameters", async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { redirect: 'always' })
    await fillCard(shop, '4242424242424242')
    await shop.page.getByRole('button', { name: 'Pay' }).click()
    await shop.page.waitForURL('**/return?**')

    expect(Object.fromEntries(new URL(shop.page.url()).searchParams)).toEqual({
      payment_intent: intent.id,
      payment_intent_client_secret: intent.client_secret,
      redirect_status: 'succeeded',
    })
  })

  it('refuses a return address that is not http or https', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    await fillCard(shop, '4242424242424242')

    const message = await shop.page.evaluate(async () => {
      const { stripe, elements } = window.shop
      const attempt = stripe?.confirmPayment({
        elements: elements ?? undefined,
        confirmParams: { return_url: 'javascript:alert(1)' },
      } as Parameters<NonNullable<typeof stripe>['confirmPayment']>[0])
      return attempt?.then(String, (error: Error) => `${error.name}: ${error.message}`)
    })

    expect(message).toMatch(/^IntegrationError: .*return_url must be an absolute http or https URL/)
    expect((await world.sdk.paymentIntents.retrieve(intent.id)).status).toBe('requires_payment_method')
  })
})

describe('a deferred intent', () => {
  it('pays when the elements were submitted first', async () => {
    const intent = await createIntent(world)
    const deferred = { amount: 1099, currency: 'usd' }
    shop = await visit(world, intent.client_secret, { deferred })
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toBe('paid succeeded')
  })

  it('submit reports what is wrong with the fields', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { deferred: { amount: 1099, currency: 'usd' } })
    await fillCard(shop, '4242')

    expect(await shop.pay()).toBe('submit validation_error incomplete_number')
  })

  it('throws when submit was forgotten', async () => {
    const intent = await createIntent(world)
    const deferred = { amount: 1099, currency: 'usd' }
    shop = await visit(world, intent.client_secret, { deferred, skipSubmit: true })
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toMatch(/^thrown IntegrationError elements\.submit\(\) must be called/)
  })

  it('does not pay a PaymentIntent over another amount than was shown', async () => {
    const intent = await createIntent(world, { amount: 999_00 })
    shop = await visit(world, intent.client_secret, { deferred: { amount: 1099, currency: 'usd' } })
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toMatch(/^error invalid_request_error .* do not match/)
    expect((await world.sdk.paymentIntents.retrieve(intent.id)).status).toBe('requires_payment_method')
  })
})

describe('the rest of the surface', () => {
  it('retrievePaymentIntent answers with the intent, or with an error for a wrong secret', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    const retrieve = (secret: string) =>
      shop.page.evaluate((value) => window.shop.stripe?.retrievePaymentIntent(value), secret)

    expect(await retrieve(intent.client_secret ?? '')).toMatchObject({
      paymentIntent: { id: intent.id, status: 'requires_payment_method' },
    })
    expect(await retrieve(`${intent.id}_secret_wrong`)).toMatchObject({
      error: { type: 'invalid_request_error' },
    })
  })

  it('a saved payment method is confirmed without card fields', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)

    const result = await shop.page.evaluate(
      (secret) => window.shop.stripe?.confirmCardPayment(secret, { payment_method: 'pm_card_visa' }),
      intent.client_secret ?? '',
    )

    expect(result).toMatchObject({ paymentIntent: { id: intent.id, status: 'succeeded' } })
  })

  it('what is not built here says so instead of seeming to work', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)

    const answers = await shop.page.evaluate(async () => {
      const stripe = window.shop.stripe as unknown as Record<string, (input?: unknown) => unknown>
      const names = ['confirmSetup', 'createToken', 'createPaymentMethod', 'initCheckoutFormSdk']
      const attempts = names.map(async (name) => stripe[name]?.({}))
      const results = await Promise.allSettled(attempts)
      return results.map((result) => (result.status === 'rejected' ? result.reason.name : 'resolved'))
    })

    expect(answers).toEqual(Array(4).fill('IntegrationError'))
  })

  it.each([
    ['pk_live_abc', 'IntegrationError: The local Stripe stand-in only accepts publishable test keys'],
    ['sk_test_abc', 'IntegrationError: You should not use your secret key with Stripe.js'],
    ['', 'IntegrationError: The local Stripe stand-in only accepts publishable test keys'],
  ])('the key "%s" is refused', async (key, message) => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)

    const answer = await shop.page.evaluate((value) => {
      try {
        return String(window.Stripe?.(value))
      } catch (error) {
        return String(error)
      }
    }, key)

    expect(answer).toContain(message)
  })
})
