import type StripeSdk from 'stripe'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { ShopSettings } from './support/shop-settings.ts'
import { fillCard, startWorld, type Visit, visit, type World } from './support/world.ts'

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

const TEA = {
  price_data: { currency: 'eur', unit_amount: 950, product_data: { name: 'Tea' } },
  quantity: 2,
}

function createSession(params: Partial<StripeSdk.Checkout.SessionCreateParams> = {}) {
  return world.sdk.checkout.sessions.create({
    mode: 'payment',
    ui_mode: 'elements',
    return_url: `${world.shop.origin}/return?session={CHECKOUT_SESSION_ID}`,
    line_items: [TEA],
    ...params,
  })
}

async function open(session: StripeSdk.Checkout.Session, settings: Partial<ShopSettings> = {}) {
  shop = await visit(world, session.client_secret, { checkout: true, ...settings })
}

const shown = (label: string) => shop.page.getByLabel(label, { exact: true }).textContent()
const challenge = () => shop.page.frameLocator('dialog[open] iframe[name^="__privateStripeFrame"]')

async function giveEmail(email = 'ada@example.com') {
  await shop.page.getByLabel('Email', { exact: true }).fill(email)
  await shop.page.getByLabel('Email', { exact: true }).blur()
}

async function answer(button: string): Promise<string> {
  await shop.page.getByRole('button', { name: 'Pay' }).click()
  await challenge().getByRole('button', { name: button }).click()
  return (await shop.page.getByLabel('Result').filter({ hasText: /./ }).textContent()) ?? ''
}

describe('CheckoutElementsProvider', () => {
  it('shows the session and the card fields', async () => {
    await open(await createSession())

    expect(await shown('Status')).toBe('open')
    expect(await shown('Total')).toBe('€19.00')
    expect(await shop.frame.locator('[name=number]').isVisible()).toBe(true)
    const session = await shop.page.evaluate(() => JSON.parse(JSON.stringify(window.shop.checkout)))
    expect(session).toMatchObject({
      currency: 'eur',
      minorUnitsAmountDivisor: 100,
      total: { total: { minorUnitsAmount: 1900 } },
      lineItems: [{ name: 'Tea', quantity: 2, unitAmount: { minorUnitsAmount: 950, amount: '€9.50' } }],
      recurring: null,
    })
  })

  it('keeps the methods of the sdk and the actions when they are spread', async () => {
    await open(await createSession())

    const kinds = await shop.page.evaluate(() => {
      const { changeAppearance, loadFonts, getPaymentElement, createPaymentElement, confirm, updateEmail } =
        window.shop.checkout ?? {}
      const all = [changeAppearance, loadFonts, getPaymentElement, createPaymentElement, confirm, updateEmail]
      return all.map((method) => typeof method)
    })

    expect(kinds).toEqual(Array(6).fill('function'))
  })

  it('renders again when the e-mail address is given and when the card is complete', async () => {
    await open(await createSession())
    const before = [await shown('Known email'), await shown('Can confirm')]

    await giveEmail()
    await expect.poll(() => shown('Known email')).toBe('ada@example.com')
    const withoutCard = await shown('Can confirm')
    await fillCard(shop, '4242424242424242')

    expect(before).toEqual(['none', 'false'])
    expect(withoutCard).toBe('false')
    await expect.poll(() => shown('Can confirm')).toBe('true')
  })

  it('a secret of something else is an error to show', async () => {
    shop = await visit(world, 'pi_1_secret_2', { checkout: true, ready: false })

    expect(await shop.page.getByRole('alert').textContent()).toContain('client secret of a Checkout Session')
  })

  it('a secret that was guessed is an error to show', async () => {
    const { id } = await createSession()
    shop = await visit(world, `${id}_secret_guessed`, { checkout: true, ready: false })

    expect(await shop.page.getByRole('alert').textContent()).toContain('does not belong')
  })
})

describe('confirming a Checkout Session in the page', () => {
  it('a declined card says why, and the same session takes the next card', async () => {
    const session = await createSession()
    await open(session)
    await giveEmail()

    await fillCard(shop, '4000000000009995')
    const first = await shop.pay()
    const statusBetween = await shown('Status')
    await fillCard(shop, '4242424242424242')
    const second = await shop.pay()

    expect(first).toBe('error paymentFailed insufficient_funds Your card has insufficient funds.')
    expect(statusBetween).toBe('open')
    expect(second).toBe('done complete')
    expect(await shown('Status')).toBe('complete')
    expect(await world.sdk.checkout.sessions.retrieve(session.id)).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      customer_details: { email: 'ada@example.com' },
    })
  })

  it('needs an e-mail address, and a whole card', async () => {
    await open(await createSession())

    expect(await shop.pay()).toBe('error null - Your email is incomplete.')
    await giveEmail('ada')
    await expect
      .poll(() => shop.page.evaluate(() => window.shop.events.at(-1)))
      .toMatchObject({ name: 'emailanswer', detail: { type: 'error', error: { code: 'invalidEmail' } } })
    await giveEmail()
    expect(await shop.pay()).toMatch(/^error null - Your card number is incomplete/)
  })

  it("leaves for the session's return address unless told otherwise", async () => {
    const session = await createSession()
    await open(session, { redirect: 'always' })
    await giveEmail()
    await fillCard(shop, '4242424242424242')
    await shop.page.getByRole('button', { name: 'Pay' }).click()
    await shop.page.waitForURL('**/return?**')

    expect(new URL(shop.page.url()).searchParams.get('session')).toBe(session.id)
  })

  it('begins a subscription', async () => {
    const monthly = {
      currency: 'eur',
      unit_amount: 700,
      recurring: { interval: 'month' as const },
      product_data: { name: 'Tea club' },
    }
    const session = await createSession({
      mode: 'subscription',
      line_items: [{ price_data: monthly, quantity: 1 }],
    })
    await open(session)
    await giveEmail()
    await fillCard(shop, '4242424242424242')

    expect(await shop.page.evaluate(() => window.shop.checkout?.recurring)).toMatchObject({
      interval: 'month',
      dueNext: { total: { minorUnitsAmount: 700 } },
    })
    expect(await shop.pay()).toBe('done complete')
    const after = await world.sdk.checkout.sessions.retrieve(session.id, { expand: ['subscription'] })
    expect(after.subscription).toMatchObject({ status: 'active' })
  })

  it('the card number goes to Stripe alone', async () => {
    await open(await createSession())
    await giveEmail()
    await fillCard(shop, '4242424242424242')
    await shop.pay()

    const carriers = shop.requests.filter(({ body }) => body.includes('4242424242424242'))
    expect(carriers.map(({ url }) => new URL(url).origin)).toEqual([world.stripeOrigin])
    expect(await shop.page.evaluate(() => window.shop.messages.join())).not.toContain('4242424242424242')
  })

  it('actions that are not built here say so', async () => {
    await open(await createSession())

    const names = await shop.page.evaluate(async () => {
      const { checkout } = window.shop
      const attempts = [
        checkout?.applyPromotionCode('TEA'),
        checkout?.updatePhoneNumber('1'),
        checkout?.confirm({ savePaymentMethod: true }),
      ]
      const results = await Promise.allSettled(attempts)
      return results.map((result) => (result.status === 'rejected' ? result.reason.name : 'resolved'))
    })

    expect(names).toEqual(Array(3).fill('IntegrationError'))
  })
})

describe('3-D Secure of a Checkout Session', () => {
  it('a passed challenge pays', async () => {
    const session = await createSession()
    await open(session)
    await giveEmail()
    await fillCard(shop, '4000002760003184')

    expect(await answer('Complete authentication')).toBe('done complete')
    expect(await shown('Status')).toBe('complete')
    expect(await world.sdk.checkout.sessions.retrieve(session.id)).toMatchObject({ payment_status: 'paid' })
  })

  it('a challenge that fails or is closed is an error, and the session can still be paid', async () => {
    await open(await createSession())
    await giveEmail()
    await fillCard(shop, '4000002760003184')

    expect(await answer('Fail authentication')).toMatch(
      /^error paymentFailed - The provided PaymentMethod has failed authentication/,
    )
    expect(await answer('Close')).toBe(
      'error paymentFailed - The authentication was closed before it was finished.',
    )
    expect(await answer('Complete authentication')).toBe('done complete')
  })
})
