import type { Page } from 'playwright-core'
import type StripeSdk from 'stripe'
import type { World } from '../stripe-browser/support/world.ts'

export type Screen = { colorScheme?: 'light' | 'dark'; width?: number }

/** A visitor on a page of the local Stripe's own origin, and what went wrong there. */
export type Visit = { page: Page; problems: string[]; requests: string[]; close(): Promise<void> }

export async function open(world: World, url: string, screen: Screen = {}): Promise<Visit> {
  const context = await world.browser.newContext({
    colorScheme: screen.colorScheme ?? 'light',
    viewport: { width: screen.width ?? 1100, height: 900 },
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  const problems: string[] = []
  const requests: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // The shop of these tests has no page for a finished order, which the browser reports.
    const isStatus = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isStatus) problems.push(message.text())
  })
  context.on('request', (request) => requests.push(`${request.url()} ${request.postData() ?? ''}`))
  await page.goto(url)
  return { page, problems, requests, close: () => context.close() }
}

export async function fillCard(page: Page, number: string) {
  await page.getByLabel('Card number').fill(number)
  await page.getByLabel('Expiration date').fill('12 / 34')
  await page.getByLabel('Security code').fill('123')
}

/** Whether anything sticks out at the side. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)
}

export const successUrl = (world: World) => `${world.shop.origin}/done?session={CHECKOUT_SESSION_ID}`

export async function aSale(world: World, more: Partial<StripeSdk.Checkout.SessionCreateParams> = {}) {
  const session = await world.sdk.checkout.sessions.create({
    mode: 'payment',
    success_url: successUrl(world),
    cancel_url: `${world.shop.origin}/`,
    line_items: [
      { price_data: { currency: 'eur', unit_amount: 1250, product_data: { name: 'Mug' } }, quantity: 2 },
    ],
    ...more,
  })
  return { session, url: session.url ?? '', done: `${world.shop.origin}/done?session=${session.id}` }
}

/** A plan, and somebody who has it with a card that works. */
export async function aSubscription(world: World) {
  const { sdk } = world
  const customer = await sdk.customers.create({
    email: 'ada@example.com',
    payment_method: 'pm_card_visa',
    invoice_settings: { default_payment_method: 'pm_card_visa' },
  })
  const premium = await aPlan(world, 'Premium', 1000)
  const subscription = await sdk.subscriptions.create({
    customer: customer.id,
    items: [{ price: premium.id }],
  })
  const portal = await sdk.billingPortal.sessions.create({
    customer: customer.id,
    return_url: `${world.shop.origin}/`,
  })
  return { customer, premium, subscription, portal }
}

export function aPlan(world: World, name: string, amountMinor: number) {
  return world.sdk.prices.create({
    currency: 'usd',
    unit_amount: amountMinor,
    recurring: { interval: 'month' },
    product_data: { name },
  })
}
