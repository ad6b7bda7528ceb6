import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startShop } from './support/shop-server.ts'
import { createIntent, fillCard, startWorld, type Visit, visit, type World } from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const CHALLENGED = '4000002760003184'

let world: World
let shop: Visit
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())
afterEach(() => shop?.close())

/** Pays through a decline and a challenge, so that every kind of message and request has been made. */
async function payWithEverything() {
  const intent = await createIntent(world)
  shop = await visit(world, intent.client_secret)
  await fillCard(shop, '4000000000000002')
  await shop.pay()
  await fillCard(shop, CHALLENGED)
  await shop.page.getByRole('button', { name: 'Pay' }).click()
  await shop.page.frameLocator('dialog[open] iframe').locator('#test-source-authorize-3ds').click()
  await shop.page.getByText('paid succeeded').waitFor()
}

/** The number as typed, as digits, and as it would look in an address or a JSON string. */
const mentions = (text: string, number: string) => text.replace(/[\s+]|%20/g, '').includes(number)

describe('card data', () => {
  it('never reaches the shop: not its window, not its server', async () => {
    await payWithEverything()
    const messages = await shop.page.evaluate(() => window.shop.messages.join('\n'))
    const result = await shop.page.evaluate(() => JSON.stringify(window.shop.lastResult))
    const received = world.shop.received.join('\n')

    for (const number of ['4000000000000002', CHALLENGED]) {
      expect(mentions(messages, number)).toBe(false)
      expect(mentions(result, number)).toBe(false)
      expect(mentions(received, number)).toBe(false)
    }
  })

  it('travels only in the body of requests to Stripe, never in an address', async () => {
    await payWithEverything()
    const carrying = shop.requests.filter(({ url, body }) => mentions(`${url} ${body}`, CHALLENGED))

    expect(carrying).toHaveLength(1)
    expect(carrying[0]?.url).toMatch(new RegExp(`^${world.stripeOrigin}/v1/payment_intents/pi_\\w+/confirm$`))
  })

  it('cannot be read out of the frame by a script of the shop', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    await fillCard(shop, '4242424242424242')

    const attempts = await shop.page.evaluate(() => {
      const frame = document.querySelector<HTMLIFrameElement>('iframe[title="Secure payment input frame"]')
      const read = () => frame?.contentWindow?.document.querySelector('input')?.value
      try {
        return [frame?.contentDocument ?? null, read()]
      } catch (error) {
        return [frame?.contentDocument ?? null, (error as Error).name]
      }
    })

    expect(attempts).toEqual([null, 'SecurityError'])
  })
})

describe('the frame', () => {
  it('takes one port, from the window that holds it', async () => {
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)

    const answered = await shop.page.evaluate(
      (stripeOrigin) =>
        new Promise((resolve) => {
          const frame = document.querySelector<HTMLIFrameElement>(
            'iframe[title="Secure payment input frame"]',
          )
          const { port1, port2 } = new MessageChannel()
          port1.onmessage = () => resolve('answered')
          frame?.contentWindow?.postMessage({ type: 'stripe-connect' }, stripeOrigin, [port2])
          setTimeout(() => resolve('silent'), 500)
        }),
      world.stripeOrigin,
    )

    expect(answered).toBe('silent')
  })

  it.each(['/frame/payment', '/frame/controller'])('%s is framed by the shop only', async (path) => {
    const stranger = await startShop(() => world.stripeOrigin)
    const intent = await createIntent(world)
    shop = await visit(world, intent.client_secret)
    await shop.page.goto(`${stranger.origin}/framing?url=${world.stripeOrigin}${path}`)
    const framed = () => shop.page.frames().find((frame) => frame !== shop.page.mainFrame())

    await expect.poll(() => framed()?.url()).toBe('chrome-error://chromewebdata/')
    await stranger.close()
  })

  it('and the script are sent with the headers that keep them in place', async () => {
    const frame = await fetch(`${world.stripeOrigin}/frame/payment`)
    const script = await fetch(`${world.stripeOrigin}/endive/stripe.js`)

    const policy = frame.headers.get('content-security-policy') ?? ''
    expect(policy).toContain(`frame-ancestors ${world.shop.origin}`)
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(script.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    for (const { headers } of [frame, script]) {
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('set-cookie')).toBeNull()
    }
  })
})

describe('the page', () => {
  it('sends nothing off this machine, and stripe.js itself calls nobody', async () => {
    await payWithEverything()
    const origins = new Set(shop.requests.map(({ url }) => new URL(url).origin))

    expect([...origins].sort()).toEqual([world.shop.origin, world.stripeOrigin].sort())
  })

  it('is not made to break its own content security policy', async () => {
    await payWithEverything()

    expect(await shop.page.evaluate(() => window.shop.violations)).toEqual([])
    expect(shop.problems).toEqual([])
  })

  it('keeps no cookie from Stripe', async () => {
    await payWithEverything()

    expect(await shop.page.context().cookies()).toEqual([])
  })
})
