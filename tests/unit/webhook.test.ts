import { afterAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
// biome-ignore lint/style/noRestrictedImports: what the route answers is what is tested here.
import { POST } from '@/app/api/payments/webhook/route'
import { readJson } from '@/lib/http'
import { eventFacts } from '@/lib/payments/facts'
import { CreatePaymentInput } from '@/lib/payments/schema'
import type { Stripe } from '@/lib/stripe/server'
import { eventOf, signatureOf } from '../support/stripe-events'

// The route without a database: what it answers to whom. What an event does is proven against a real one.

const database = vi.hoisted(() => ({ calls: 0, answer: async (): Promise<unknown> => null }))
vi.mock('@/lib/db/sql', async (importActual) => ({
  ...(await importActual<typeof import('@/lib/db/sql')>()),
  callService: () => {
    database.calls++
    return database.answer()
  },
}))

const CURRENT = 'whsec_currentcurrent'
const PREVIOUS = 'whsec_previousprevious'
const SETTINGS = {
  APP_ORIGIN: 'http://localhost:3000',
  STRIPE_SECRET_KEY: 'sk_test_local_1',
  STRIPE_PUBLISHABLE_KEY: 'pk_test_local_1',
  STRIPE_WEBHOOK_SECRET: CURRENT,
  STRIPE_WEBHOOK_SECRET_PREVIOUS: PREVIOUS,
  STRIPE_API_BASE: 'http://127.0.0.1:4010',
  SUPABASE_URL: 'http://127.0.0.1:4011',
  SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_of_a_test',
  DATABASE_URL: 'postgres://payments_service:unused@127.0.0.1:4014/postgres',
  UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:4012',
  UPSTASH_REDIS_REST_TOKEN: 'not-a-token-of-anybody',
  SMTP_URL: 'smtp://paywright:canary8canary8@127.0.0.1:4015',
  MAIL_FROM: 'Paywright <payments@example.com>',
  CRON_SECRET: 'not-a-secret-of-anybody',
  LOG_LEVEL: 'silent',
}
for (const [name, value] of Object.entries(SETTINGS)) vi.stubEnv(name, value)
afterAll(() => vi.unstubAllEnvs())
beforeEach(() => {
  database.calls = 0
})

const BODY = JSON.stringify(
  eventOf('payment_intent.succeeded', { id: 'pi_1', object: 'payment_intent', metadata: {} }),
)

async function send(
  signature: string | null,
): Promise<{ status: number; code: string | undefined; text: string }> {
  const request = new Request('http://localhost:3000/api/payments/webhook', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signature !== null && { 'stripe-signature': signature }),
    },
    body: BODY,
  })
  const response = await POST(request, undefined)
  const text = await response.text()
  return { status: response.status, code: JSON.parse(text).error?.code, text }
}

describe('the webhook route', () => {
  it.each([
    ['the current secret', CURRENT],
    ['the previous secret', PREVIOUS],
  ])('takes what %s has signed (W5)', async (_which, secret) => {
    database.answer = async () => ({ outcome: 'processed' })

    expect(await send(signatureOf(BODY, secret))).toMatchObject({ status: 200 })
  })

  it('takes a signature that is not old yet (W3)', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    database.answer = async () => ({ outcome: 'processed' })

    expect(await send(signatureOf(BODY, CURRENT, Math.floor(Date.now() / 1000) - 300))).toMatchObject({
      status: 200,
    })
  })

  it.each([
    ['no signature', null],
    ['a signature of somebody else', signatureOf(BODY, 'whsec_somebodyelse')],
    ['a signature of another body', signatureOf(`${BODY} `, CURRENT)],
    ['a signature that is old', signatureOf(BODY, CURRENT, Math.floor(Date.now() / 1000) - 301)],
  ])('refuses %s before it asks the database (W1, W3)', async (_what, signature) => {
    expect(await send(signature)).toMatchObject({ status: 400, code: 'invalid_signature' })

    expect(database.calls).toBe(0)
  })

  it.each([
    ['failed', 503],
    ['parked', 200],
    ['duplicate', 200],
    ['ignored', 200],
    ['rejected', 200],
  ])('answers for an event that is %s with %i (W15, W16)', async (outcome, status) => {
    database.answer = async () => ({ outcome })

    expect(await send(signatureOf(BODY, CURRENT))).toMatchObject({ status })
  })

  it('tells nobody what went wrong, and never that it went well (L4)', async () => {
    database.answer = async () => {
      throw new Error('relation "private.canary" does not exist')
    }

    const { status, text } = await send(signatureOf(BODY, CURRENT))

    expect(status).toBeGreaterThanOrEqual(500)
    expect(text).not.toContain('canary')
  })
})

describe('what reaches our books', () => {
  it('of a PaymentIntent is neither its client secret nor anything personal', async () => {
    const intent = {
      id: 'pi_1',
      object: 'payment_intent',
      client_secret: 'canary_secret',
      receipt_email: 'canary@example.test',
      metadata: { payment_id: 'ours', note: 'canary note' },
      latest_charge: {
        id: 'ch_1',
        object: 'charge',
        billing_details: { name: 'Canary Person' },
        payment_method_details: { card: { brand: 'visa', fingerprint: 'canary_print' } },
      },
    }

    const facts = await eventFacts(eventOf('payment_intent.succeeded', intent) as unknown as Stripe.Event)

    expect(JSON.stringify(facts)).not.toMatch(/canary/i)
  })

  it.each(['success_url', 'amount', 'currency'])('of a browser is no %s (I4, I12)', (name) => {
    const orderId = '7a0e8f10-0000-4000-8000-000000000001'

    expect(CreatePaymentInput.safeParse({ orderId }).success).toBe(true)
    expect(CreatePaymentInput.safeParse({ orderId, [name]: 'canary' }).success).toBe(false)
  })

  it('of a card is not its number: a request that holds one is refused (L2)', async () => {
    const request = new Request('http://localhost:3000/api/payments/create-payment-intent', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ note: 'my card is 4242 4242 4242 4242' }),
    })

    await expect(readJson(request, z.object({ note: z.string() }))).rejects.toMatchObject({
      code: 'card_number_refused',
    })
  })
})
