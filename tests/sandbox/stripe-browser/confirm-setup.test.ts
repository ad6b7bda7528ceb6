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

const newCustomer = async () => (await world.sdk.customers.create()).id
const cardsOf = async (customer: string) => (await world.sdk.customers.listPaymentMethods(customer)).data

async function visitSetup(settings: Parameters<typeof visit>[2] = {}) {
  const customer = await newCustomer()
  const setup = await world.sdk.setupIntents.create({ customer })
  shop = await visit(world, setup.client_secret, { purpose: 'setup', ...settings })
  return { customer, setup }
}

async function challenge(button: '#test-source-authorize-3ds' | '#test-source-fail-3ds') {
  await shop.page.getByRole('button', { name: 'Pay' }).click()
  const frame = shop.page.frameLocator('dialog[open] iframe')
  const heading = await frame.getByRole('heading').textContent()
  const text = await frame.locator('dl').textContent()
  await frame.locator(button).click()
  const result = await shop.page.getByLabel('Result').filter({ hasText: /./ }).textContent()
  return { heading, text, result }
}

describe('stripe.confirmSetup()', () => {
  it('keeps a new card for the customer', async () => {
    const { customer } = await visitSetup()
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toBe('kept succeeded')
    expect(await cardsOf(customer)).toMatchObject([{ card: { last4: '4242' } }])
  })

  it('a declined card says why, and the same SetupIntent takes the next card', async () => {
    const { customer, setup } = await visitSetup()
    await fillCard(shop, '4000000000000002')
    const first = await shop.pay()
    const error = await shop.page.evaluate(() => window.shop.lastResult)
    await fillCard(shop, '4242424242424242')

    expect(first).toBe('error card_error card_declined generic_decline Your card was declined.')
    expect(error).toMatchObject({
      error: { setup_intent: { id: setup.id, status: 'requires_payment_method' } },
    })
    expect(await shop.pay()).toBe('kept succeeded')
    expect(await cardsOf(customer)).toHaveLength(1)
  })

  it('the challenge is about a card, not an amount, and passing it keeps the card', async () => {
    const { customer } = await visitSetup()
    await fillCard(shop, '4000002500003155')

    const { heading, text, result } = await challenge('#test-source-authorize-3ds')

    expect(heading).toBe('Confirm this card')
    expect(text).not.toContain('Amount')
    expect(result).toBe('kept succeeded')
    expect(await cardsOf(customer)).toHaveLength(1)
  })

  it('stripe.P7 a failed challenge is setup_intent_authentication_failure', async () => {
    const { customer } = await visitSetup()
    await fillCard(shop, '4000002500003155')

    const { result } = await challenge('#test-source-fail-3ds')

    expect(result).toContain('error invalid_request_error setup_intent_authentication_failure')
    expect(await cardsOf(customer)).toEqual([])
  })

  it('goes to the return_url with the SetupIntent in it', async () => {
    const { setup } = await visitSetup({ redirect: 'always' })
    await fillCard(shop, '4242424242424242')
    await shop.page.getByRole('button', { name: 'Pay' }).click()
    await shop.page.waitForURL('**/return?*')

    expect(Object.fromEntries(new URL(shop.page.url()).searchParams)).toEqual({
      setup_intent: setup.id,
      setup_intent_client_secret: setup.client_secret,
      redirect_status: 'succeeded',
    })
  })

  it('works with an Elements group in mode setup', async () => {
    const { customer } = await visitSetup({ deferred: { mode: 'setup', currency: 'usd' } })
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toBe('kept succeeded')
    expect(await cardsOf(customer)).toHaveLength(1)
  })

  it('refuses the client secret of a PaymentIntent', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { purpose: 'setup' })
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toMatch(/^thrown IntegrationError .*a SetupIntent is expected/)
  })

  it('a SetupIntent that is done already makes the element fail to load', async () => {
    const done = await world.sdk.setupIntents.create({ payment_method: 'pm_card_visa', confirm: true })
    shop = await visit(world, done.client_secret, { ready: false })

    await shop.page.waitForFunction(() => window.shop.events.some(({ name }) => name === 'loaderror'))
    const errors = await shop.page.evaluate(() =>
      window.shop.events.filter(({ name }) => name === 'loaderror').map(({ detail }) => detail),
    )
    expect(errors).toMatchObject([{ error: { code: 'setup_intent_unexpected_state' } }])
  })
})

describe('SetupIntents without an element', () => {
  /** Runs a method of Stripe.js in the page. */
  const call = (name: string, ...args: unknown[]) =>
    shop.page.evaluate(
      ([method, values]) => {
        const stripe = window.shop.stripe as unknown as Record<string, (...rest: unknown[]) => unknown>
        return stripe[method]?.(...values)
      },
      [name, args] as const,
    )

  it('retrieveSetupIntent() reads its state', async () => {
    const { setup } = await visitSetup()

    expect(await call('retrieveSetupIntent', setup.client_secret)).toMatchObject({
      setupIntent: { id: setup.id, status: 'requires_payment_method' },
    })
  })

  it('confirmCardSetup() confirms with a payment method that is known', async () => {
    const { setup } = await visitSetup()

    expect(
      await call('confirmCardSetup', setup.client_secret, { payment_method: 'pm_card_visa' }),
    ).toMatchObject({ setupIntent: { status: 'succeeded' } })
  })

  it('handleNextAction() finishes one that the server confirmed', async () => {
    await visitSetup()
    const waiting = await world.sdk.setupIntents.create({
      payment_method: 'pm_card_authenticationRequired',
      confirm: true,
      use_stripe_sdk: true,
    })

    const result = call('handleNextAction', { clientSecret: waiting.client_secret })
    await shop.page.frameLocator('dialog[open] iframe').locator('#test-source-authorize-3ds').click()

    expect(await result).toMatchObject({ setupIntent: { id: waiting.id, status: 'succeeded' } })
  })
})
