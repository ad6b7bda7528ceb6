import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import Stripe from 'stripe'
import { expect } from 'vitest'
import type { StripeConfig } from '../../../../sandbox/stripe/config.ts'
import { type RunningStripe, startStripe } from '../../../../sandbox/stripe/server.ts'
import { stripeContract } from '../../../support/stripe-contract.ts'
import { afterFile } from '../../support/after-file.ts'

export const SECRET_KEY = 'sk_test_local_0123456789abcdef'
export const PUBLISHABLE_KEY = 'pk_test_local_0123456789abcdef'

export const LOCAL_SECRET = 'secret-of-the-tests'

export type LocalStripe = RunningStripe & { stripe: Stripe }

/** A local Stripe on a free port with an unmodified stripe-node in front of it; stopped after the file's tests. */
export async function localStripe(config: Partial<StripeConfig> = {}): Promise<LocalStripe> {
  const running = await startStripe({
    port: 0,
    databasePath: ':memory:',
    secretKey: SECRET_KEY,
    publishableKey: PUBLISHABLE_KEY,
    appOrigin: 'http://localhost:3000',
    localSecret: LOCAL_SECRET,
    settleDelayMs: 60_000,
    aftermathDelayMs: 60_000,
    retryDelaysMs: [20, 40],
    observer: await stripeContract(),
    ...config,
  })
  let closed = false
  const close = async () => {
    if (!closed) await running.close()
    closed = true
  }
  afterFile(close)
  return { ...running, close, stripe: stripeClient(running.url) }
}

export function stripeClient(
  url: string,
  config: Partial<Stripe.StripeConfig> = {},
  key = SECRET_KEY,
): Stripe {
  return new Stripe(key, {
    host: '127.0.0.1',
    port: Number(new URL(url).port),
    protocol: 'http',
    maxNetworkRetries: 0,
    telemetry: false,
    ...config,
  })
}

/** The error a call ends with; a call that succeeds fails the test. */
export async function errorOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  const outcome = await call.then(
    () => null,
    (error: unknown) => error,
  )
  expect(outcome, 'the call should have failed').not.toBeNull()
  if (outcome instanceof Stripe.errors.StripeError) return outcome
  throw outcome
}

export type Answer = { status: number; headers: Headers; body: Record<string, unknown> }

/** A request as written, past the SDK. */
export async function send(
  url: string,
  path: string,
  {
    method = 'POST',
    body,
    headers = {},
  }: { method?: string; body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    body: body ?? null,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...headers,
    },
  })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export const asSecret = { authorization: `Bearer ${SECRET_KEY}` }

/** An admin address: GET without a body, POST with one. */
export function admin(url: string, path: string, body?: object, method?: string): Promise<Answer> {
  return send(url, `/_local${path}`, {
    method: method ?? (body ? 'POST' : 'GET'),
    ...(body ? { body: JSON.stringify(body) } : {}),
    headers: { authorization: `Bearer ${LOCAL_SECRET}` },
  })
}

/** Move the clock on; what is due by then has happened when this returns. */
export async function advance(url: string, seconds: number): Promise<void> {
  const { status } = await admin(url, '/clock', { advanceSeconds: seconds })
  expect(status).toBe(200)
}

/** What the card frame sends: a form with the publishable key in it. */
export function sendAsBrowser(url: string, path: string, fields: Record<string, string>): Promise<Answer> {
  return send(url, path, { body: new URLSearchParams({ ...fields, key: PUBLISHABLE_KEY }).toString() })
}

export function typedCard(number: string, rest: { month?: string; year?: string; cvc?: string } = {}) {
  return {
    'payment_method_data[type]': 'card',
    'payment_method_data[card][number]': number,
    'payment_method_data[card][exp_month]': rest.month ?? '12',
    'payment_method_data[card][exp_year]': rest.year ?? String(new Date().getFullYear() + 2),
    ...(rest.cvc === '' ? {} : { 'payment_method_data[card][cvc]': rest.cvc ?? '123' }),
  }
}

/** Repeat until it holds; a test that waits says for what. */
export async function eventually<T>(
  what: string,
  read: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await read()
    if (value) return value as Exclude<T, false | null | undefined>
    if (Date.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export type Received = { body: string; headers: IncomingHttpHeaders; at: number }
export type Receiver = {
  url: string
  received: Received[]
  /** Decides the answer to each delivery; 200 unless replaced. Null: never answers. */
  answer: (delivery: Received) => { status: number; headers?: Record<string, string> } | null
  signature(delivery: Received): string
}

/** A webhook endpoint that keeps the bytes it got. */
export async function receiver(): Promise<Receiver> {
  const state: Receiver = {
    url: '',
    received: [],
    answer: () => ({ status: 200 }),
    signature: (delivery) => String(delivery.headers['stripe-signature']),
  }
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const delivery = { body: Buffer.concat(chunks).toString(), headers: request.headers, at: Date.now() }
      state.received.push(delivery)
      const answer = state.answer(delivery)
      if (answer) response.writeHead(answer.status, answer.headers).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('The receiver has no address')
  state.url = `http://127.0.0.1:${address.port}/webhook`
  afterFile(() => {
    server.closeAllConnections()
    server.close()
  })
  return state
}

/** The types of the events of an object, in the order they were recorded. */
export async function eventTypesOf(stripe: Stripe, id: string): Promise<string[]> {
  const { data } = await stripe.events.list({ limit: 100 })
  return data
    .filter((event) => {
      const object = event.data.object as { id?: string; payment_intent?: unknown }
      return object.id === id || object.payment_intent === id
    })
    .map((event) => event.type)
    .reverse()
}
