import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  accessibilityProblems,
  createIntent,
  fillCard,
  startWorld,
  type Visit,
  visit,
  type World,
} from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const SCREENSHOTS = process.env.SCREENSHOT_DIR

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

const frameOf = (what: 'address' | 'email') =>
  shop.page.frameLocator(`iframe[name^="__privateStripeFrame"][title="Secure ${what} input frame"]`)

const eventsOf = (name: string) =>
  shop.page.evaluate(
    (wanted) => window.shop.events.filter((event) => event.name === wanted).map((event) => event.detail),
    name,
  )

async function fillAddress() {
  const frame = frameOf('address')
  await frame.getByLabel('Full name').fill('Ada Lovelace')
  await frame.getByLabel('Country').selectOption('NL')
  await frame.getByLabel('Address line 1').fill('Keizersgracht 1')
  await frame.getByLabel('Postal code').fill('1015 CJ')
  await frame.getByLabel('City').fill('Amsterdam')
}

const ADDRESS = {
  line1: 'Keizersgracht 1',
  line2: null,
  city: 'Amsterdam',
  state: '',
  postal_code: '1015 CJ',
  country: 'NL',
}

describe('the Address Element', () => {
  it('tells the page its value, and a shipping address reaches the payment', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { alongside: ['shipping'] })
    await fillAddress()
    await fillCard(shop, '4242424242424242')

    const value = () => shop.page.evaluate(() => window.shop.elements?.getElement('address')?.getValue())

    await expect.poll(value).toEqual({
      complete: true,
      isNewAddress: true,
      value: { name: 'Ada Lovelace', address: ADDRESS },
    })
    expect((await eventsOf('addresschange')).at(-1)).toMatchObject({
      elementType: 'address',
      elementMode: 'shipping',
      complete: true,
      empty: false,
    })
    expect(await shop.pay()).toBe('paid succeeded')
    expect((await world.sdk.paymentIntents.retrieve(intent.id)).shipping).toMatchObject({
      name: 'Ada Lovelace',
      address: { line1: 'Keizersgracht 1', country: 'NL', line2: null },
    })
  })

  it('a billing address reaches the payment method, and the card fields no longer ask for the country', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { alongside: ['billing'] })
    await fillAddress()
    await shop.frame.getByLabel('Country').waitFor({ state: 'hidden' })
    await fillCard(shop, '4242424242424242')
    expect(await shop.pay()).toBe('paid succeeded')

    const paid = await world.sdk.paymentIntents.retrieve(intent.id, { expand: ['payment_method'] })
    expect(paid.payment_method).toMatchObject({
      billing_details: { name: 'Ada Lovelace', address: { city: 'Amsterdam', country: 'NL' } },
    })
  })

  it('an incomplete address stops the payment and says what is missing', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { alongside: ['shipping'] })
    await fillCard(shop, '4242424242424242')

    expect(await shop.pay()).toContain('error validation_error incomplete_name')
    expect(await frameOf('address').locator('#line1-error').textContent()).toBe('Your address is incomplete.')
    expect((await world.sdk.paymentIntents.retrieve(intent.id)).status).toBe('requires_payment_method')
  })
})

describe('the Link Authentication Element', () => {
  it('asks for an e-mail address that reaches the payment method', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { alongside: ['email'] })
    await fillCard(shop, '4242424242424242')

    await frameOf('email').getByLabel('Email').fill('nobody')
    const wrong = await shop.pay()
    await frameOf('email').getByLabel('Email').fill('ada@example.com')
    const right = await shop.pay()

    expect(wrong).toContain('error validation_error invalid_email')
    expect(right).toBe('paid succeeded')
    expect((await eventsOf('emailchange')).at(-1)).toMatchObject({
      elementType: 'linkAuthentication',
      complete: true,
      value: { email: 'ada@example.com' },
    })
    const paid = await world.sdk.paymentIntents.retrieve(intent.id, { expand: ['payment_method'] })
    expect(paid.payment_method).toMatchObject({ billing_details: { email: 'ada@example.com' } })
  })
})

describe('the Express Checkout Element', () => {
  it('is ready and has no wallets to offer', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret, { alongside: ['express'] })
    await shop.page.waitForFunction(() => window.shop.events.some(({ name }) => name === 'expressready'))

    const [ready] = await eventsOf('expressready')

    expect(ready).toMatchObject({ elementType: 'expressCheckout' })
    expect((ready as { availablePaymentMethods?: unknown }).availablePaymentMethods ?? null).toBeNull()
    await fillCard(shop, '4242424242424242')
    expect(await shop.pay()).toBe('paid succeeded')
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each([360, 800])('axe finds nothing in address and e-mail at %i pixels', async (width) => {
    const theme = colorScheme === 'dark' ? 'night' : 'stripe'
    const intent = await createIntent(world)
    shop = await visit(
      world,
      intent.client_secret,
      { appearance: { theme }, alongside: ['email', 'shipping'] },
      { colorScheme, width },
    )
    await fillCard(shop, '4242424242424242')

    const empty = await accessibilityProblems(shop.page)
    await shop.pay()
    const wrong = await accessibilityProblems(shop.page)
    if (SCREENSHOTS)
      await shop.page.screenshot({
        path: `${SCREENSHOTS}/address-${colorScheme}-${width}.png`,
        fullPage: true,
      })

    expect({ empty, wrong }).toEqual({ empty: [], wrong: [] })
    const overflow = await frameOf('address')
      .locator('html')
      .evaluate((root) => root.scrollWidth - window.innerWidth)
    expect(overflow).toBeLessThanOrEqual(0)
  })
})
