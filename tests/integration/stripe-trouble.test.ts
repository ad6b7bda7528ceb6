import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { STRIPE_API_VERSION } from '@/lib/env'
import { adminSql } from '../support/db'
import { confirm, limitsAsTheyAre, setLimit, started, statusOf } from '../support/limits'
import { newStaff, until } from '../support/paid'
import { effectsOn, newOrder, type OpenedPayment, setOpenPaymentsAside } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { type ProxiedServer, startProxiedServer } from '../support/proxied-server'
import { post, refund, startPayment, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'
import type { Fate, ProxiedRequest } from '../support/stripe-proxy'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'

const secret = stack().env.STRIPE_WEBHOOK_SECRET ?? ''

type Trouble = (
  request: ProxiedRequest,
) => Fate | { status: number; body: unknown; headers?: Record<string, string> } | undefined
const NONE: Trouble = () => undefined

let trouble = NONE
/** Stripe has forgotten every key it was sent before. */
let forgets = 0
let server: ProxiedServer
let ada: Person
let support: Person
let putBack: () => Promise<void>

beforeAll(async () => {
  server = await startProxiedServer(
    (_path, _query, request) => trouble(request),
    (key) => (forgets === 0 ? key : `${key}:${forgets}`),
  )
  support = await newStaff('support')
  putBack = await limitsAsTheyAre()
})
beforeEach(async () => {
  // Ten new payments a minute is what one person may open.
  ada = await newPerson()
  await setOpenPaymentsAside()
})
afterEach(async () => {
  trouble = NONE
  await putBack()
})
afterAll(() => server?.stop())

const create = (orderId: string, key: string = randomUUID()) =>
  startPayment(ada, orderId, { key, server: server.url })
const isCreating = ({ method, path }: ProxiedRequest) => method === 'POST' && path === '/v1/payment_intents'
const isRefunding = ({ method, path }: ProxiedRequest) => method === 'POST' && path === '/v1/refunds'
const creating =
  (fate: ReturnType<Trouble>): Trouble =>
  (request) =>
    isCreating(request) ? fate : undefined
const failing = (status: number, error: object, headers?: Record<string, string>) => ({
  status,
  body: { error: { message: '', ...error } },
  ...(headers && { headers }),
})

const intentsOf = async (orderId: string) =>
  (await stripeSdk().paymentIntents.list({ limit: 100 })).data.filter(
    ({ metadata }) => metadata.order_id === orderId,
  )
const paymentOf = async (orderId: string) => {
  const [row] = await adminSql()`
    select id, status, attempt, stripe_payment_intent_id as intent from public.payments where order_id = ${orderId}`
  return row
}
/** Paid, and we know it; its fee may come later. */
async function justPaid(person: Person) {
  const payment = await started(person)
  await confirm(payment.intentId, 'pm_card_visa')
  await until(async () => (await statusOf(payment.paymentId)) === 'succeeded')
  return payment
}
const adayAgo = (orderId: string) => adminSql()`
  update public.payments set attempted_at = attempted_at - interval '25 hours', created_at = created_at - interval '25 hours',
    checked_at = checked_at - interval '25 hours' where order_id = ${orderId}`

describe('a Stripe that fails while a payment is made', () => {
  it.each<[string, ReturnType<Trouble>]>([
    ['a reset before it arrives', 'reset'],
    ['a reset after it was done', 'done, then reset'],
    ['an answer that is cut off', 'done, then cut off'],
    ['silence after it was done', 'done, then silence'],
    ['409, its key is in use', failing(409, { type: 'idempotency_error', code: 'idempotency_key_in_use' })],
    ['429', failing(429, { type: 'invalid_request_error', code: 'rate_limit' }, { 'retry-after': '7' })],
    ['500', failing(500, { type: 'api_error' })],
  ])('%s leads to one PaymentIntent, in three tries at most (I8, C7)', async (_what, fate) => {
    const orderId = await newOrder(ada.id)
    const key = randomUUID()
    const before = server.stripe.requests.length
    trouble = creating(fate)
    const asked = Date.now()

    const during = await create(orderId, key)
    const tookMs = Date.now() - asked
    const tries = server.stripe.requests.slice(before).filter(isCreating)
    const left = await paymentOf(orderId)
    trouble = NONE
    const after = await create(orderId, key)

    expect(during.status).toBe(503)
    expect(tookMs).toBeLessThan(10_000)
    expect(await during.json()).toMatchObject({ error: { code: 'provider_unavailable' } })
    // Never failed; and the webhook may be quicker than we are.
    expect(['unknown', 'requires_payment_method']).toContain(left?.status)
    expect(tries.length).toBeLessThanOrEqual(3)
    expect(new Set(tries.map(({ idempotencyKey }) => idempotencyKey))).toEqual(
      new Set([`payment:${left?.id}:1`]),
    )
    if (typeof fate === 'object' && fate.status === 429) {
      expect(tries).toHaveLength(1)
      expect(during.headers.get('retry-after')).toBe('7')
    }
    expect(after.status).toBe(201)
    expect(await intentsOf(orderId)).toHaveLength(1)
    expect(await paymentOf(orderId)).toMatchObject({ attempt: 1, status: 'requires_payment_method' })
  })

  it('is asked again by itself after one lost answer, and the customer notices nothing (I8)', async () => {
    const orderId = await newOrder(ada.id)
    let lost = 0
    trouble = (request) => (isCreating(request) && lost++ === 0 ? 'done, then reset' : undefined)

    const answer = await create(orderId)

    expect(answer.status).toBe(201)
    expect(lost).toBe(2)
    expect(await intentsOf(orderId)).toHaveLength(1)
  })

  const SAVED = failing(500, { type: 'api_error' }, { 'idempotent-replayed': 'true' })

  it('and repeats a saved 500: what was made all the same is found and linked', async () => {
    const orderId = await newOrder(ada.id)
    const key = randomUUID()
    trouble = creating('done, then reset')
    await create(orderId, key)
    trouble = creating(SAVED)

    const answer = await create(orderId, key)

    expect(answer.status).toBe(201)
    const [intent, ...others] = await intentsOf(orderId)
    expect(others).toEqual([])
    expect(await paymentOf(orderId)).toMatchObject({ attempt: 1, intent: intent?.id })
  })

  it('and repeats a saved 500 with nothing made: the next attempt has another key', async () => {
    const orderId = await newOrder(ada.id)
    trouble = (request) => (request.idempotencyKey?.endsWith(':1') && isCreating(request) ? SAVED : undefined)

    const answer = await create(orderId)

    expect(answer.status).toBe(201)
    expect(await intentsOf(orderId)).toHaveLength(1)
    expect(await paymentOf(orderId)).toMatchObject({ attempt: 2 })
  })

  it('and forgets its keys: a day later it is looked at before anything is made (I9)', async () => {
    const [byCustomer, bySweeper] = [await newOrder(ada.id), await newOrder(ada.id)]
    const key = randomUUID()
    trouble = creating('done, then reset')
    expect((await create(byCustomer, key)).status).toBe(503)
    expect((await create(bySweeper)).status).toBe(503)
    trouble = NONE
    forgets++
    await adayAgo(byCustomer)
    await adayAgo(bySweeper)

    const answer = await create(byCustomer, key)
    const swept = await sweep(server.url)

    expect([answer.status, swept.status]).toEqual([201, 200])
    for (const orderId of [byCustomer, bySweeper]) {
      const [intent, ...others] = await intentsOf(orderId)
      expect(others).toEqual([])
      expect(await paymentOf(orderId)).toMatchObject({ attempt: 1, intent: intent?.id })
    }
  })

  it('and forgets its keys with nothing made: a day later one PaymentIntent is made (I9)', async () => {
    const orderId = await newOrder(ada.id)
    trouble = creating('reset')
    await create(orderId)
    trouble = NONE
    forgets++
    await adayAgo(orderId)

    await sweep(server.url)

    expect(await intentsOf(orderId)).toHaveLength(1)
    expect(await paymentOf(orderId)).toMatchObject({ attempt: 2, status: 'requires_payment_method' })
  })
})

describe('a Stripe that fails while money goes back', () => {
  const refundsAt = async (intentId: string) =>
    (await stripeSdk().refunds.list({ payment_intent: intentId })).data.map(({ amount }) => amount)
  const ask = (paymentId: string, key: string) =>
    refund(
      support,
      paymentId,
      { reason: 'requested_by_customer', amountMinor: 900 },
      { key, server: server.url },
    )

  it.each<[string, ReturnType<Trouble>]>([
    ['a reset before it arrives', 'reset'],
    ['a reset after it was done', 'done, then reset'],
    ['429', failing(429, { type: 'invalid_request_error', code: 'rate_limit' }, { 'retry-after': '9' })],
  ])('%s leads to one refund, made by the sweeper (I8, C7)', async (_what, fate) => {
    const { paymentId, intentId } = await justPaid(ada)
    const key = randomUUID()
    trouble = (request) => (isRefunding(request) ? fate : undefined)

    const during = await ask(paymentId, key)
    trouble = NONE
    await adminSql()`update private.refund_requests set checked_at = now() - interval '1 minute' where payment_id = ${paymentId}`
    await sweep(server.url)

    expect(during.status).toBe(503)
    expect(await refundsAt(intentId)).toEqual([900])
    expect((await ask(paymentId, key)).status).toBe(201)
    expect(await refundsAt(intentId)).toEqual([900])
  })

  it('and forgets its keys: a day later it is looked at before anything goes back (I9)', async () => {
    const { paymentId, intentId } = await justPaid(ada)
    trouble = (request) => (isRefunding(request) ? 'done, then reset' : undefined)
    await withoutWebhooks(() => ask(paymentId, randomUUID()))
    trouble = NONE
    forgets++
    await adminSql()`update private.refund_requests set checked_at = now() - interval '25 hours',
      attempted_at = attempted_at - interval '25 hours' where payment_id = ${paymentId}`

    await sweep(server.url)

    expect(await refundsAt(intentId)).toEqual([900])
    const [request] =
      await adminSql()`select status, attempt from private.refund_requests where payment_id = ${paymentId}`
    expect(request).toEqual({ status: 'made', attempt: 1 })
  })
})

describe('while Stripe is away', () => {
  it('an order that is cancelled takes no payment, and closes when Stripe is back', async () => {
    const { orderId, paymentId, intentId } = await started(ada)
    trouble = () => 'reset'

    const answer = await post(`/api/orders/${orderId}/cancellation`, ada, {}, { server: server.url })
    const retry = await startPayment(ada, orderId)
    trouble = NONE
    await adminSql()`update private.payment_decisions set tried_at = null where payment_id = ${paymentId}`
    await sweep(server.url)

    expect(answer.status).toBe(202)
    expect(retry.status).toBe(409)
    expect((await stripeSdk().paymentIntents.retrieve(intentId)).status).toBe('canceled')
    const [order] = await adminSql()`select status from public.orders where id = ${orderId}`
    expect([order?.status, await statusOf(paymentId)]).toEqual(['canceled', 'canceled'])
  })

  it('an event that gives a hint is kept, answered 503, and applied later', async () => {
    const { paymentId, intentId } = await started(ada)
    const event = eventOf('payment_intent.requires_action', {
      ...(await stripeSdk().paymentIntents.retrieve(intentId)),
    })
    trouble = () =>
      failing(429, { type: 'invalid_request_error', code: 'rate_limit' }, { 'retry-after': '11' })

    const during = await postEvent(server.url, event, { secret })
    trouble = NONE
    const after = await postEvent(server.url, event, { secret })

    expect([during.status, during.headers.get('retry-after'), after.status]).toEqual([503, '11', 200])
    const [row] =
      await adminSql()`select status, attempts from private.webhook_events where event_id = ${event.id}`
    expect(row).toEqual({ status: 'processed', attempts: 1 })
    expect(await statusOf(paymentId)).toBe('requires_payment_method')
  })
})

describe('what Stripe is asked', () => {
  it('an event of another API version is a hint: the object is fetched at ours (W9)', async () => {
    // What Stripe says of it meanwhile is not heard: it may come late, and would have us look as well.
    const { answer, asked, payment } = await withoutWebhooks(async () => {
      const { orderId, paymentId, intentId } = await started(ada)
      await confirm(intentId, 'pm_card_visa')
      const payment = { paymentId, orderId, intentId, chargeId: 'ch_old', amountMinor: 2400, currency: 'eur' }
      const before = server.stripe.requests.length
      // What an old version means by its fields is not for us to guess.
      const told = intentOf(payment as OpenedPayment, 'succeeded', { amount_received: 1, currency: 'usd' })
      const event = eventOf('payment_intent.succeeded', told, { api_version: '2019-05-16' })
      const answer = await postEvent(server.url, event, { secret })
      return { answer, asked: server.stripe.requests.slice(before), payment }
    })

    expect(answer.status).toBe(200)
    expect(asked).toMatchObject([
      { method: 'GET', path: `/v1/payment_intents/${payment.intentId}`, version: STRIPE_API_VERSION },
    ])
    expect(await effectsOn(payment as OpenedPayment)).toMatchObject({
      status: 'succeeded',
      received: 2400,
      order_status: 'paid',
      review_reason: null,
    })
  })

  it('carries an idempotency key made from our row with every POST, whatever is asked for (I7)', async () => {
    const from = { server: server.url }
    const newcomer = await newPerson()
    await startPayment(newcomer, await newOrder(newcomer.id), from)
    const { paymentId } = await justPaid(newcomer)
    await refund(support, paymentId, { reason: 'duplicate', amountMinor: 1 }, from)
    const canceled = await started(newcomer)
    await post(`/api/orders/${canceled.orderId}/cancellation`, newcomer, {}, from)
    await setLimit(await newStaff('admin'), 'countries_allowed', { countries: ['US'] })
    const held = await started(newcomer)
    await withoutWebhooks(async () => {
      expect(await confirm(held.intentId, 'pm_card_visa')).toBe('requires_capture')
      await post(`/api/payments/${held.paymentId}/sync`, newcomer, {}, from)
    })
    await until(async () => (await statusOf(held.paymentId)) === 'succeeded')

    const posts = server.stripe.requests.filter(({ method }) => method === 'POST')
    const isOurs = /^(customer|payment|refund|decision):[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d+$/
    expect(posts.filter(({ idempotencyKey }) => !isOurs.test(idempotencyKey ?? ''))).toEqual([])
    const kinds = posts.map(({ path, idempotencyKey }) => {
      const [kind] = (idempotencyKey ?? '').split(':')
      return `${kind} ${path.replace(/pi_\w+/, ':id')}`
    })
    expect(new Set(kinds)).toEqual(
      new Set([
        'customer /v1/customers',
        'payment /v1/payment_intents',
        'refund /v1/refunds',
        'decision /v1/payment_intents/:id/cancel',
        'decision /v1/payment_intents/:id/capture',
      ]),
    )
    console.info(`${posts.length} POSTs, all with a key of a row`)
  })
})
