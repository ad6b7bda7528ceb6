import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import type Stripe from 'stripe'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { accessibilityProblems, startWorld, type World } from './support/world.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const SCREENSHOTS = process.env.SCREENSHOT_DIR

let world: World
let receiver: { url: string; events: Stripe.Event[] }
let page: Page
let problems: string[] = []
const servers: Server[] = []

beforeAll(async () => {
  world = await startWorld()
  const events: Stripe.Event[] = []
  const url = await serve(async (body) => {
    events.push(JSON.parse(body) as Stripe.Event)
    return ''
  })
  receiver = { url: `${url}/webhook`, events }
  await world.sdk.webhookEndpoints.create({ url: receiver.url, enabled_events: ['*'] })
})
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
  await world?.stop()
})
beforeEach(() => open())
afterEach(() => page.context().close())

/** A new visitor's page; what went wrong on the former one is forgotten. */
async function open(screen: { colorScheme?: 'light' | 'dark'; width?: number } = {}) {
  await page?.context().close()
  const context = await world.browser.newContext({
    colorScheme: screen.colorScheme ?? 'light',
    viewport: { width: screen.width ?? 1280, height: 900 },
  })
  page = await context.newPage()
  problems = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()))
  await page.goto(world.stripeOrigin)
}

/** A page at an origin of its own. Returns that origin. */
async function serve(answer: (body: string) => Promise<string>): Promise<string> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const html = await answer(Buffer.concat(chunks).toString())
      response.writeHead(200, { 'content-type': 'text/html' }).end(html)
    })
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  return `http://localhost:${(server.address() as AddressInfo).port}`
}

async function pay(amount = 4200) {
  const intent = await world.sdk.paymentIntents.create({
    amount,
    currency: 'eur',
    payment_method: 'pm_card_visa',
    confirm: true,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  })
  return { intent, charge: String(intent.latest_charge) }
}

const openObject = (id: string) => page.goto(`${world.stripeOrigin}/admin/objects/${id}`)
const form = (name: string) => page.getByRole('form', { name })
const press = (name: string) => page.getByRole('button', { name, exact: true }).click()
const said = async () => (await page.locator('.flash').textContent())?.trim()
const heading = () => page.getByRole('heading', { level: 1 }).textContent()
const token = async () => (await page.locator('input[name=token]').first().getAttribute('value')) ?? ''

describe('looking', () => {
  it('the first page says what this is and lists objects, by kind too, each with its JSON', async () => {
    const { intent } = await pay()
    await page.reload()

    await expect(page.locator('.banner').textContent()).resolves.toContain('Local test stand-in, not Stripe')
    await page
      .getByRole('navigation', { name: 'Kinds' })
      .getByRole('link', { name: 'payment intent' })
      .click()
    const rows = page.getByRole('table', { name: 'Latest objects' }).getByRole('row')
    const first = await rows.nth(1).textContent()
    await page.getByTitle(intent.id).click()
    const json = await page.getByLabel(`JSON of ${intent.id}`).textContent()

    expect(first).toContain('€42.00 EUR')
    expect(first).toContain('succeeded')
    expect(JSON.parse(json ?? '')).toMatchObject({ id: intent.id, amount: 4200, client_secret: '(hidden)' })
    expect(await page.content()).not.toContain(intent.client_secret ?? 'no secret')
    expect(problems).toEqual([])
  })

  it('an id leads to its object or event, an unknown one to a page that says so', async () => {
    const { charge } = await pay()

    await page.getByLabel('Find by id').fill(charge)
    await press('Find')
    await expect.poll(heading).toBe(charge)
    await page.getByLabel('Find by id').fill('<b>pi_nothing</b>')
    await press('Find')

    await expect.poll(heading).toBe('Not here')
  })

  it('the keyboard reaches what there is to do, beginning with a way past the sections', async () => {
    const { charge } = await pay()
    await openObject(charge)

    await page.keyboard.press('Tab')
    const first = await page.evaluate(() => document.activeElement?.textContent)
    await page.getByLabel('Reason').first().focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(/objects\/re_/)

    expect(first).toBe('Skip to the content')
    expect(await said()).toBe('The refund is made.')
    // It takes the focus with the first frame that is painted.
    await expect.poll(() => page.evaluate(() => document.activeElement?.className)).toContain('flash')
  })
})

describe('doing', () => {
  it('a dashboard refund is made in whole units and can be let fail', async () => {
    const { intent, charge } = await pay()
    await openObject(intent.id)

    await form('Refund').getByLabel('Amount in EUR').fill('12.34')
    await form('Refund').getByRole('button').click()
    await page.waitForURL(/objects\/re_/)
    const refund = (await world.sdk.refunds.list({ charge })).data[0]
    await press('Let it fail')
    await page.locator('.flash', { hasText: 'failed' }).waitFor()

    expect(refund).toMatchObject({ amount: 1234, charge })
    expect((await world.sdk.refunds.retrieve(refund?.id ?? '')).status).toBe('failed')
    await expect.poll(() => receiver.events.map(({ type }) => type)).toContain('refund.failed')
  })

  it('what cannot be done is said and not done', async () => {
    const { charge } = await pay()
    await openObject(charge)

    await form('Refund').getByLabel('Amount in EUR').fill('1000')
    await form('Refund').getByRole('button').click()
    const tooMuch = await said()
    await form('Refund').getByLabel('Amount in EUR').fill('1.234')
    await form('Refund').getByRole('button').click()

    expect(tooMuch).toContain('greater than unrefunded amount')
    await expect.poll(said).toBe('Write the amount in EUR like this: 12.00')
    expect((await world.sdk.refunds.list({ charge })).data).toEqual([])
    await page.reload()
    expect(await page.locator('.flash').count()).toBe(0)
  })

  it.each(['won', 'lost'] as const)('a dispute is raised and closed as %s', async (verdict) => {
    const { charge } = await pay()
    await openObject(charge)

    await form('Raise a dispute').getByLabel('Reason').selectOption('product_not_received')
    await press('Raise a dispute')
    await page.waitForURL(/objects\/du_/)
    await press(`Close as ${verdict}`)
    await page.locator('.flash', { hasText: 'closed' }).waitFor()

    const [dispute] = (await world.sdk.disputes.list({ charge })).data
    expect(dispute).toMatchObject({ status: verdict, reason: 'product_not_received', amount: 4200 })
    expect(await page.getByRole('button', { name: /Close/ }).count()).toBe(0)
  })

  it('an inquiry is escalated, and an early fraud warning is given', async () => {
    const { charge } = await pay()
    await openObject(charge)
    await press('Warn of fraud')
    await page.waitForURL(/objects\/issfr_/)
    await openObject(charge)
    await page.getByLabel('As an inquiry').check()
    await press('Raise a dispute')
    await page.waitForURL(/objects\/du_/)
    const asked = (await world.sdk.disputes.list({ charge })).data[0]?.status
    await press('Escalate')
    await page.locator('.flash', { hasText: 'became a dispute' }).waitFor()

    expect(asked).toBe('warning_needs_response')
    expect((await world.sdk.disputes.list({ charge })).data[0]?.status).toBe('needs_response')
    expect((await world.sdk.radar.earlyFraudWarnings.list({ charge })).data).toHaveLength(1)
  })

  it('an event is resent, and its page shows each attempt and what was answered', async () => {
    const { intent } = await pay()
    const [event] = (await world.sdk.events.list({ type: 'payment_intent.succeeded', limit: 1 })).data
    const arrivals = () => receiver.events.filter(({ id }) => id === event?.id).length
    await expect.poll(arrivals).toBe(1)
    await page.goto(`${world.stripeOrigin}/admin/events`)
    const row = page.getByRole('row').filter({ hasText: 'payment_intent.succeeded' }).first()

    await row.getByRole('button', { name: 'Resend' }).click()
    await page.waitForURL(/admin\/events\/evt_/)

    expect(await said()).toBe('The event was sent again.')
    expect(arrivals()).toBe(2)
    expect(await page.getByRole('table', { name: /Attempts of delivery/ }).count()).toBe(2)
    expect(await page.locator('.delivery').last().textContent()).toMatch(/delivered[\s\S]*200/)
    expect(await page.locator('.json').textContent()).toContain(intent.id)
  })

  it('the clock goes on by a step and by any time, and every page says that it is ahead', async () => {
    await page.getByRole('link', { name: 'Clock' }).click()

    await press('1 hour')
    const step = await said()
    await page.getByLabel('How far').fill('2')
    await press('Advance')
    await expect.poll(said).toContain('The clock went on by 2 days.')
    const customer = await world.sdk.customers.create({})

    expect(step).toContain('The clock went on by 1 hour.')
    expect(customer.created * 1000 - Date.now()).toBeGreaterThan(48 * 3_600_000)
    expect(await page.getByRole('link', { name: /Clock ahead by 2 days 1 hour/ }).isVisible()).toBe(true)
  })

  it('a chaos profile is switched on with a seed and off again, and its log is shown', async () => {
    await page.getByRole('link', { name: 'Chaos' }).click()

    await page.getByRole('radio', { name: 'lost-webhooks' }).check()
    await page.getByLabel('Seed').fill('rainy')
    await press('Switch on')
    const on = await said()
    await pay()
    await page.reload()
    const log = await page.getByRole('table', { name: 'Chaos log' }).textContent()
    await press('Switch off')

    expect(on).toBe('Chaos is on: lost-webhooks, seed rainy.')
    expect(log).toContain('webhook.dropForever')
    expect(log).toMatch(/charge\.succeeded ch_/)
    expect(await said()).toBe('Chaos is off.')
    expect(await page.getByText('Chaos is on').count()).toBe(0)
  })

  it('it works without scripts', async () => {
    const { charge } = await pay()
    const context = await world.browser.newContext({ javaScriptEnabled: false })
    const plain = await context.newPage()
    await plain.goto(`${world.stripeOrigin}/admin/objects/${charge}`)
    await plain.getByRole('button', { name: 'Warn of fraud' }).click()
    const text = await plain.locator('.flash').textContent()
    await context.close()

    expect(text?.trim()).toBe('The early fraud warning is out.')
  })
})

describe('somebody else', () => {
  it("a page of the shop's machine that knows even the token is refused, and so is one that frames us", async () => {
    const { charge } = await pay()
    await openObject(charge)
    const stolen = await token()
    const target = `${world.stripeOrigin}/admin/charges/${charge}/refund`
    const evil = await serve(
      async () => `<form method="post" action="${target}"><input name="token" value="${stolen}"><button>Win</button></form>
        <iframe title="framed" src="${world.stripeOrigin}"></iframe>`,
    )

    await page.goto(evil)
    // A frame that is refused has another origin, as one that is shown would have, but nothing in it.
    const framed = await page.frameLocator('iframe').locator('.banner').count()
    const answer = page.waitForResponse(target)
    await press('Win')

    expect((await answer).status()).toBe(403)
    expect(framed).toBe(0)
    expect(await heading()).toBe('Refused')
    expect((await world.sdk.refunds.list({ charge })).data).toEqual([])
  })

  it('no page of another origin can read anything of these pages', async () => {
    const evil = await serve(async () => '<p>evil</p>')
    await page.goto(evil)

    const outcomes = await page.evaluate(async (address) => {
      const read = fetch(address).then(
        () => 'read',
        () => 'refused',
      )
      const opaque = fetch(address, { mode: 'no-cors' }).then(
        () => 'loaded',
        () => 'refused',
      )
      return [await read, await opaque]
    }, world.stripeOrigin)

    expect(outcomes).toEqual(['refused', 'refused'])
  })
})

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  it.each([360, 1280])(
    'axe finds nothing, and nothing is wider than the page, at %i pixels',
    async (width) => {
      const { charge } = await pay()
      const dispute = await disputed()
      await open({ colorScheme, width })
      const found: Record<string, unknown> = {}
      const [event] = (await world.sdk.events.list({ limit: 1 })).data

      for (const [name, path] of Object.entries({
        objects: '/',
        charge: `/admin/objects/${charge}`,
        dispute: `/admin/objects/${dispute}`,
        events: '/admin/events',
        event: `/admin/events/${event?.id}`,
        clock: '/admin/clock',
        chaos: '/admin/chaos',
        missing: '/admin/find?id=nothing',
      })) {
        await page.goto(world.stripeOrigin + path)
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
        const axe = await accessibilityProblems(page)
        if (wider > 0 || axe.length > 0) found[name] = { wider, axe }
        if (SCREENSHOTS) {
          await page.screenshot({
            path: `${SCREENSHOTS}/admin-${name}-${colorScheme}-${width}.png`,
            fullPage: true,
          })
        }
      }

      expect(found).toEqual({})
    },
    240_000,
  )

  async function disputed(): Promise<string> {
    const { charge } = await pay()
    await openObject(charge)
    await press('Raise a dispute')
    await page.waitForURL(/objects\/du_/)
    return page.url().replace(/.*\/(du_\w+).*/, '$1')
  }
})

it('an empty stand-in says what will appear and how to connect', async () => {
  const empty = await startWorld()
  try {
    await page.goto(empty.stripeOrigin)
    const text = await page.getByRole('main').textContent()

    expect(text).toContain('Nothing yet.')
    expect(text).toContain(`port: ${new URL(empty.stripeOrigin).port}`)
    expect(await accessibilityProblems(page)).toEqual([])
    if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/admin-empty.png` })
  } finally {
    await empty.stop()
  }
})
