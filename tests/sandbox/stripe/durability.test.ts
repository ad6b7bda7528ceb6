import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { freePorts } from '../../../sandbox/ports.ts'
import { afterFile } from '../support/after-file.ts'
import {
  eventually,
  localStripe,
  PUBLISHABLE_KEY,
  receiver,
  SECRET_KEY,
  send,
  stripeClient,
} from './support/local-stripe.ts'

const MAIN = join(import.meta.dirname, '../../../sandbox/stripe/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'local-stripe-'))
const children: ChildProcess[] = []
afterFile(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

type Started = { child: ChildProcess; lines: string[]; errors: string[]; exited: Promise<number | null> }

function start(settings: Record<string, string>): Started {
  const environment: Record<string, string | undefined> = {
    PATH: process.env.PATH,
    NODE_NO_WARNINGS: '1',
    STRIPE_SECRET_KEY: SECRET_KEY,
    STRIPE_PUBLISHABLE_KEY: PUBLISHABLE_KEY,
    APP_ORIGIN: 'http://localhost:3000',
    ...settings,
  }
  const child = spawn(process.execPath, [MAIN], {
    env: environment as NodeJS.ProcessEnv,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  children.push(child)
  const lines: string[] = []
  const errors: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  createInterface({ input: child.stderr }).on('line', (line) => errors.push(line))
  // Not `exit`: its last words may be read after that.
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, lines, errors, exited }
}

async function startReady(settings: Record<string, string>): Promise<Started> {
  const started = start(settings)
  await eventually(`ready; said ${started.errors.join()}`, () => started.lines.includes('ready'), 20_000)
  return started
}

async function settingsOf(name: string): Promise<Record<string, string> & { SANDBOX_STRIPE_PORT: string }> {
  const { stripe } = await freePorts()
  return { SANDBOX_STRIPE_PORT: String(stripe), SANDBOX_STRIPE_DB: join(folder, `${name}.db`) }
}

describe('many at once', () => {
  it('100 concurrent payments are all answered correctly, each with its own events', async () => {
    const { stripe } = await localStripe()

    const intents = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        stripe.paymentIntents.create({
          amount: 1000 + i,
          currency: 'usd',
          payment_method: 'pm_card_visa',
          confirm: true,
        }),
      ),
    )

    expect(new Set(intents.map(({ id }) => id)).size).toBe(100)
    expect(intents.every(({ status }) => status === 'succeeded')).toBe(true)
    expect(intents.map(({ amount }) => amount)).toEqual(Array.from({ length: 100 }, (_, i) => 1000 + i))
    const succeeded = []
    for await (const event of stripe.events.list({ type: 'payment_intent.succeeded', limit: 100 })) {
      succeeded.push((event.data.object as { id: string }).id)
    }
    expect(new Set(succeeded)).toEqual(new Set(intents.map(({ id }) => id)))
    expect(succeeded).toHaveLength(100)
  })
})

describe('the process', () => {
  it('kill -9 keeps payments, idempotency keys, unsent events and money on its way', async () => {
    const settings = await settingsOf('killed')
    const url = `http://127.0.0.1:${settings.SANDBOX_STRIPE_PORT}`
    const stripe = stripeClient(url)
    const hook = await receiver()
    hook.answer = () => ({ status: 500 })
    const webhook = { STRIPE_WEBHOOK_URL: hook.url, STRIPE_WEBHOOK_SECRET: 'whsec_kept' }
    const { child, exited } = await startReady({ ...settings, ...webhook })
    const params = { amount: 1500, currency: 'usd', payment_method: 'pm_card_visa', confirm: true }
    const paid = await stripe.paymentIntents.create(params, { idempotencyKey: 'before' })

    child.kill('SIGKILL')
    await exited
    hook.answer = () => ({ status: 200 })
    await startReady({ ...settings, ...webhook })

    expect(await stripe.paymentIntents.retrieve(paid.id)).toMatchObject({ status: 'succeeded', amount: 1500 })
    expect((await stripe.paymentIntents.create(params, { idempotencyKey: 'before' })).id).toBe(paid.id)
    expect((await stripe.webhookEndpoints.list()).data).toHaveLength(1)
    await eventually('the events that could not be sent before', async () => {
      const { data } = await stripe.events.list({ delivery_success: true })
      return data.length >= 3
    })
    await eventually('the balance transaction', async () => {
      const charge = await stripe.charges.retrieve(String(paid.latest_charge))
      return charge.balance_transaction
    })
  })

  it('a call cut off before it did anything leaves its idempotency key free', async () => {
    const databasePath = join(folder, 'cut-off.db')
    let reached = false
    const first = await localStripe({
      databasePath,
      beforeExecution: () => {
        reached = true
        return new Promise(() => {})
      },
    })
    const cutOff = first.stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'cut' }).catch(() => null)
    await eventually('the call is running', () => reached)
    await first.close()
    await cutOff

    const second = await localStripe({ databasePath })
    const customer = await second.stripe.customers.create({ name: 'Ada' }, { idempotencyKey: 'cut' })

    expect((await second.stripe.customers.list()).data.map(({ id }) => id)).toEqual([customer.id])
  })

  it('it ends when its parent closes stdin', async () => {
    const { child, exited } = await startReady(await settingsOf('parent'))

    child.stdin?.end()

    expect(await exited).toBe(0)
  })

  it('a taken port ends it with code 1 and the name of the setting', async () => {
    const settings = await settingsOf('taken')
    const other = createServer().listen(Number(settings.SANDBOX_STRIPE_PORT), '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))

    const { exited, errors } = start(settings)

    expect(await exited).toBe(1)
    expect(errors.join()).toContain('SANDBOX_STRIPE_PORT')
    other.close()
  })

  it('it does not start with NODE_ENV=production unless told to', async () => {
    const settings = await settingsOf('production')

    const refused = start({ ...settings, NODE_ENV: 'production' })
    const code = await refused.exited
    const allowed = await startReady({ ...settings, NODE_ENV: 'production', SANDBOX_ALLOW_PRODUCTION: '1' })

    expect(code).toBe(1)
    expect(refused.errors.join()).toContain('NODE_ENV=production')
    allowed.child.stdin?.end()
  })
})

describe('the local addresses', () => {
  it('tell whether it is ready and say on the first page what it is', async () => {
    const { url, stripe } = await localStripe()
    await stripe.paymentIntents.create({
      amount: 500,
      currency: 'jpy',
      description: '<script>alert(1)</script>',
    })

    const health = await send(url, '/_local/health', { method: 'GET' })
    const page = await fetch(url)
    const text = await page.text()

    expect(health).toMatchObject({ status: 200, body: { ready: true } })
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(text).toContain('This is not Stripe')
    expect(text).toContain('¥500')
  })
})
