import { existsSync } from 'node:fs'
import { AxeBuilder } from '@axe-core/playwright'
import { type Browser, chromium, type FrameLocator, type Page } from 'playwright-core'
import StripeSdk from 'stripe'
import { startStripe } from '../../../../sandbox/stripe/server.ts'
import { stripeContract } from '../../../support/stripe-contract.ts'
import { type Shop, startShop } from './shop-server.ts'
import type { ShopSettings } from './shop-settings.ts'

const CHROME = process.env.CHROME_PATH ?? '/usr/bin/chromium'
const CHROME_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
const SECRET_KEY = 'sk_test_local_browser_tests'
const PUBLISHABLE_KEY = 'pk_test_local_browser_tests'

/** A local Stripe on 127.0.0.1, a shop on localhost and a browser. One for each test file. */
export type World = {
  sdk: StripeSdk
  stripeOrigin: string
  shop: Shop
  browser: Browser
  stop(): Promise<void>
}

export async function startWorld(): Promise<World> {
  if (!existsSync(CHROME)) throw new Error(`No Chromium at ${CHROME}. Install it or set CHROME_PATH.`)
  let stripeOrigin = ''
  const shop = await startShop(() => stripeOrigin)
  const stripe = await startStripe({
    port: 0,
    databasePath: ':memory:',
    secretKey: SECRET_KEY,
    publishableKey: PUBLISHABLE_KEY,
    appOrigin: shop.origin,
    observer: await stripeContract(),
  })
  stripeOrigin = stripe.url
  const browser = await chromium.launch({ executablePath: CHROME, args: CHROME_FLAGS })
  const { hostname, port } = new URL(stripe.url)
  return {
    sdk: new StripeSdk(SECRET_KEY, { host: hostname, port, protocol: 'http' }),
    stripeOrigin,
    shop,
    browser,
    async stop() {
      await browser.close()
      await Promise.all([stripe.close(), shop.close()])
    },
  }
}

export function createIntent(world: World, params: Partial<StripeSdk.PaymentIntentCreateParams> = {}) {
  return world.sdk.paymentIntents.create({
    amount: 1099,
    currency: 'usd',
    automatic_payment_methods: { enabled: true },
    ...params,
  })
}

/** A visitor's page in the shop, and everything the browser did meanwhile. */
export type Visit = {
  page: Page
  frame: FrameLocator
  requests: { url: string; body: string }[]
  /** Errors of the page and its frames: console errors and uncaught exceptions. */
  problems: string[]
  pay(): Promise<string>
  close(): Promise<void>
}

export type Screen = { colorScheme?: 'light' | 'dark'; width?: number }

/** Opens the shop for a PaymentIntent's client secret. `ready: false` does not wait for the card fields. */
export async function visit(
  world: World,
  clientSecret: string | null,
  settings: Partial<ShopSettings> & { ready?: boolean } = {},
  screen: Screen = {},
): Promise<Visit> {
  const { ready = true, ...shopSettings } = settings
  const context = await world.browser.newContext({
    colorScheme: screen.colorScheme ?? 'light',
    viewport: { width: screen.width ?? 800, height: 900 },
  })
  const page = await context.newPage()
  const requests: Visit['requests'] = []
  const problems: string[] = []
  context.on('request', (request) => requests.push({ url: request.url(), body: request.postData() ?? '' }))
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    // A declined card is a 402, which the browser itself reports; that is not a fault of the page.
    const isStatus = message.text().startsWith('Failed to load resource')
    if (message.type() === 'error' && !isStatus) problems.push(message.text())
  })

  const complete: ShopSettings = {
    stripeJsUrl: `${world.stripeOrigin}/endive/stripe.js`,
    publishableKey: PUBLISHABLE_KEY,
    clientSecret: clientSecret ?? '',
    ...shopSettings,
  }
  await page.goto(`${world.shop.origin}/?settings=${encodeURIComponent(JSON.stringify(complete))}`)
  const frame = page.frameLocator('iframe[name^="__privateStripeFrame"][title="Secure payment input frame"]')
  if (ready) await page.waitForFunction(() => window.shop.events.some((event) => event.name === 'ready'))
  return {
    page,
    frame,
    requests,
    problems,
    async pay() {
      await page.getByRole('button', { name: 'Pay' }).click()
      return (await page.getByLabel('Result').filter({ hasText: /./ }).textContent()) ?? ''
    },
    close: () => context.close(),
  }
}

export async function fillCard(
  { frame }: Pick<Visit, 'frame'>,
  number: string,
  { expiry = '12 / 34', cvc = '123' }: { expiry?: string; cvc?: string } = {},
) {
  await frame.locator('[name=number]').fill(number)
  await frame.locator('[name=expiry]').fill(expiry)
  await frame.locator('[name=cvc]').fill(cvc)
}

/** What axe finds wrong on the page and in its frames, one line for each. In the dark only the colours are others than in the light. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  const isDark = await page.evaluate(() => window.matchMedia('(prefers-color-scheme: dark)').matches)
  const axe = new AxeBuilder({ page })
  const { violations } = await (isDark ? axe.withRules('color-contrast') : axe).analyze()
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}
