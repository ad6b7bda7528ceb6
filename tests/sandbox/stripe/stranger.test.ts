// Somebody else's app: it knows stripe-node and the command line, and nothing else of this project.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { freePorts } from '../../../sandbox/ports.ts'

/** What `npm run sandbox` runs. */
const COMMAND = ['scripts/bootstrap.mjs', 'scripts/sandbox.ts']
const ROOT = join(import.meta.dirname, '../../..')

const folder = mkdtempSync(join(tmpdir(), 'stranger-'))
const deliveries: { body: string; signature: string }[] = []
let shop: Server
let started: ChildProcess
let port: number
let said = ''
let stripe: Stripe

beforeAll(async () => {
  shop = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      deliveries.push({ body, signature: String(request.headers['stripe-signature']) })
      response.end()
    })
  })
  const webhooks = `http://localhost:${await listening(shop)}/my-webhooks`
  port = (await freePorts()).stripe
  started = run(['--only', 'stripe', '--state-dir', folder, '--webhook-url', webhooks])
  started.stdout?.on('data', (chunk) => {
    said += chunk
  })
  await vi.waitFor(() => expect(said).toContain('Ctrl-C'), 60_000)

  // The app as it was, but for its address.
  stripe = new Stripe(printed('STRIPE_SECRET_KEY'), { host: '127.0.0.1', port, protocol: 'http' })
})

afterAll(async () => {
  if (started) await ended(started)
  shop?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe("somebody else's app", () => {
  it('pays and is told so by a signed webhook', async () => {
    const intent = await stripe.paymentIntents.create({
      amount: 2000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      confirm: true,
      metadata: { order: '42' },
    })
    const delivery = await delivered('payment_intent.succeeded', intent.id)

    const event = stripe.webhooks.constructEvent(
      delivery.body,
      delivery.signature,
      printed('STRIPE_WEBHOOK_SECRET'),
    )
    expect(intent.status).toBe('succeeded')
    expect(event).toMatchObject({
      type: 'payment_intent.succeeded',
      livemode: false,
      data: { object: { id: intent.id, amount_received: 2000, metadata: { order: '42' } } },
    })
    expect(() => stripe.webhooks.constructEvent(delivery.body, delivery.signature, 'whsec_other')).toThrow()
  })

  it('is declined by a card that declines, and refunds what was paid', async () => {
    const pay = (payment_method: string) =>
      stripe.paymentIntents.create({
        amount: 1500,
        currency: 'eur',
        payment_method,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        confirm: true,
      })

    await expect(pay('pm_card_visa_chargeDeclined')).rejects.toMatchObject({
      type: 'StripeCardError',
      code: 'card_declined',
    })
    const paid = await pay('pm_card_visa')
    const refund = await stripe.refunds.create({ payment_intent: paid.id, amount: 500 })

    expect(refund).toMatchObject({ status: 'succeeded', amount: 500 })
    await delivered('charge.refunded', String(paid.latest_charge))
  })

  it('finds what it was told on starting: pages, browser script, and the clock for its tests', async () => {
    const address = `http://127.0.0.1:${port}`
    const clock = await fetch(`${address}/_local/clock`, {
      method: 'POST',
      headers: { authorization: `Bearer ${printed('SANDBOX_LOCAL_SECRET')}` },
      body: JSON.stringify({ advanceSeconds: 3600 }),
    })
    const script = await fetch(`${address}/endive/stripe.js`)

    expect(said).toContain(`${address}/\n`)
    expect(said).toContain(`${address}/endive/stripe.js`)
    expect(printed('STRIPE_PUBLISHABLE_KEY')).toMatch(/^pk_test_/)
    expect(script.headers.get('content-type')).toContain('javascript')
    expect(Math.round((await clock.json()).advancedSeconds / 60)).toBe(60)
  })
})

it.each([
  [['--only', 'stripe', '--webhook-url', 'localhost'], '--webhook-url'],
  [['--only', 'stripe', '--app-origin', 'http://localhost:3000/shop'], '--app-origin'],
  [['--only', 'strpe'], 'strpe'],
  [['--webhook'], '--webhook-url <url>'],
])('%j ends with a message that helps', async (options, message) => {
  const child = run([...options, '--state-dir', join(folder, 'wrong')])
  let complaint = ''
  child.stderr?.on('data', (chunk) => {
    complaint += chunk
  })
  const code = await new Promise((resolve) => child.once('close', resolve))

  expect(code).not.toBe(0)
  expect(complaint).toContain(message)
})

function run(options: string[]): ChildProcess {
  const { PATH, HOME } = process.env
  return spawn(process.execPath, [...COMMAND, ...options], {
    cwd: ROOT,
    env: { PATH, HOME, SANDBOX_STRIPE_PORT: String(port), NODE_ENV: 'development' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

function printed(name: string): string {
  return new RegExp(`^ *${name}=(\\S+)$`, 'm').exec(said)?.[1] ?? ''
}

async function delivered(type: string, id: string) {
  return await vi.waitFor(() => {
    const found = deliveries.find(({ body }) => {
      const event = JSON.parse(body)
      return event.type === type && event.data.object.id === id
    })
    if (!found) throw new Error(`No ${type} of ${id} has come`)
    return found
  }, 10_000)
}

function listening(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

async function ended(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await exited
}
