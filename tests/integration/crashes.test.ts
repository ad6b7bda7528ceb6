import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CRASH_POINTS, type CrashPoint } from '@/lib/payments/crash-point'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import type { Leashed } from '../../scripts/processes'
import { adminSql } from '../support/db'
import { newStaff, paid, until } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import { newPerson } from '../support/people'
import { refund, startPayment, sweep } from '../support/requests'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'

const { env, serverUrls } = stack()
const [survivor] = serverUrls as [string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

/** Runs something against a server that dies at a point; answers once the server is dead. */
async function withServerDyingAt(point: CrashPoint, act: (url: string) => Promise<unknown>): Promise<void> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const server: Leashed = startServer(port, { ...env, CRASH_AT: point })
  await waitUntilReady(url, 60_000)
  const answer = await act(url).then(
    () => 'answered',
    () => 'cut off',
  )
  const died = await Promise.race([
    server.exited.then(() => 'died'),
    new Promise((resolve) => setTimeout(resolve, 5_000, 'lives')),
  ])
  await server.stop()
  expect([answer, died], `the server reaches ${point}`).toEqual(['cut off', 'died'])
}

/** What the scheduler does every few seconds, with the waiting times between tries left out. */
async function sweepAll(): Promise<void> {
  await adminSql()`update public.payments set checked_at = now() - interval '10 minutes' where status in ('creating', 'unknown')`
  await adminSql()`update private.refund_requests set checked_at = now() - interval '10 minutes' where status = 'reserved'`
  await adminSql()`update private.webhook_events set next_attempt_at = now() where status = 'pending'`
  expect((await sweep(survivor)).status).toBe(200)
}

async function payingDiesAt(point: CrashPoint): Promise<void> {
  const person = await newPerson()
  const orderId = await newOrder(person.id)
  const key = randomUUID()
  const create = (server: string) => startPayment(person, orderId, { key, server })
  await withServerDyingAt(point, create)

  await sweepAll()

  const rows =
    await adminSql()`select id, status, stripe_payment_intent_id as intent from public.payments where order_id = ${orderId}`
  if (point !== 'customer.made')
    expect(rows, 'finished without the customer').toMatchObject([{ status: 'requires_payment_method' }])
  const again = await create(survivor)
  expect(again.status).toBe(201)
  const intents = (await stripeSdk().paymentIntents.list({ limit: 100 })).data.filter(
    (intent) => intent.metadata.order_id === orderId,
  )
  const [row] =
    await adminSql()`select stripe_payment_intent_id as intent from public.payments where order_id = ${orderId}`
  expect(intents.map((intent) => intent.id)).toEqual([row?.intent])
  const customers = (await stripeSdk().customers.list({ limit: 100 })).data
  const [ours] = await adminSql()`select id from public.customers where user_id = ${person.id}`
  expect(customers.filter((customer) => customer.metadata.customer_id === ours?.id)).toHaveLength(1)
}

async function refundingDiesAt(point: CrashPoint): Promise<void> {
  const { paymentId, intentId } = await paid()
  const support = await newStaff('support')
  const key = randomUUID()
  const ask = (server: string) =>
    refund(support, paymentId, { reason: 'requested_by_customer', amountMinor: 900 }, { key, server })
  await withServerDyingAt(point, ask)

  await sweepAll()

  expect((await stripeSdk().refunds.list({ payment_intent: intentId })).data).toMatchObject([{ amount: 900 }])
  expect((await ask(survivor)).status).toBe(201)
  const refunds =
    await adminSql()`select amount_minor::int as amount, request_id is not null as ours from public.refunds where payment_id = ${paymentId}`
  expect(refunds).toEqual([{ amount: 900, ours: true }])
  const [request] =
    await adminSql()`select status from private.refund_requests where payment_id = ${paymentId}`
  expect(request?.status).toBe('made')
}

async function decidingDiesAt(point: CrashPoint): Promise<void> {
  const person = await newPerson()
  const response = await startPayment(person, await newOrder(person.id))
  const { id: paymentId } = (await response.json()) as { id: string }
  await adminSql()`insert into private.payment_decisions (payment_id, decision, reason) values (${paymentId}, 'cancel', 'idle')`
  await withServerDyingAt(point, (url) => sweep(url))

  await adminSql()`update private.payment_decisions set tried_at = now() - interval '10 minutes' where done_at is null`
  await sweepAll()

  const [row] =
    await adminSql()`select status, stripe_payment_intent_id as intent from public.payments where id = ${paymentId}`
  expect(row?.status).toBe('canceled')
  expect((await stripeSdk().paymentIntents.retrieve(String(row?.intent))).status).toBe('canceled')
  const [audited] = await adminSql()`
    select count(*)::int as n from private.audit_log where subject_id = ${paymentId} and action = 'payment.canceled'`
  expect(audited?.n).toBe(1)
}

async function hearingDiesAt(point: CrashPoint): Promise<void> {
  const { paymentId, intentId } = await paid()
  const made = await stripeSdk().refunds.create({ payment_intent: intentId, amount: 300 })
  await until(async () => (await refundRows(paymentId)).length === 1)
  // A hint that has to be fetched, about something that is true already.
  const event = eventOf('refund.updated', { ...made })
  await withServerDyingAt(point, (url) => postEvent(url, event, { secret }))

  if (point === 'event.verified') expect((await postEvent(survivor, event, { secret })).status).toBe(200)
  else await sweepAll()

  const [kept] = await adminSql()`select status from private.webhook_events where event_id = ${event.id}`
  expect(kept?.status).toBe('processed')
  expect((await postEvent(survivor, event, { secret })).status).toBe(200)
  expect(await refundRows(paymentId)).toEqual([{ amount: 300 }])
  const [postings] = await adminSql()`
    select count(*)::int as n from private.ledger_transactions where payment_id = ${paymentId} and movement = 'refund'`
  expect(postings?.n).toBe(1)
}

const refundRows = (paymentId: string) =>
  adminSql()`select amount_minor::int as amount from public.refunds where payment_id = ${paymentId}`

describe('a server that is killed with -9', () => {
  it.each(CRASH_POINTS.map((point) => [point]))(
    'at %s loses nothing and doubles nothing, and the rest happens by itself (C1, C2)',
    async (point) => {
      const [area] = point.split('.')
      if (area === 'customer' || area === 'payment') await payingDiesAt(point)
      else if (area === 'refund') await refundingDiesAt(point)
      else if (area === 'decision') await decidingDiesAt(point)
      else await hearingDiesAt(point)
    },
  )
})
