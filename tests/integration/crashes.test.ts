import { randomUUID } from 'node:crypto'
import { afterAll, describe, expect, it } from 'vitest'
import { verifyAuditLog } from '@/lib/audit/verify'
import { CRASH_POINTS, type CrashPoint } from '@/lib/payments/crash-point'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import type { Leashed } from '../../scripts/processes'
import { asService } from '../support/audit'
import { PLANS } from '../support/billing'
import { columnsHolding } from '../support/database-text'
import { adminSql } from '../support/db'
import { bringForward, mailsOwedTo, outbox, ownMails, setOtherMailsAside } from '../support/mails'
import { ledgerOf, newStaff, paid, until } from '../support/paid'
import { newOrder, openedPayment, setOpenPaymentsAside } from '../support/payment-rows'
import { newPerson } from '../support/people'
import { reconcileNow, startReconcile } from '../support/reconcile-command'
import { eraseAccount, post, refund, startPayment, sweep } from '../support/requests'
import { inSoak, isSoak } from '../support/soak'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'
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
    new Promise((resolve) => setTimeout(resolve, 20_000, 'lives')),
  ])
  await server.stop()
  expect([answer, died], `the server reaches ${point}`).toEqual(['cut off', 'died'])
}

const BY_ITSELF_MS = 60_000
const took: number[] = []

/**
 * What the scheduler does every few seconds, until all is done. `npm test` leaves out the waiting times between tries; a soak
 * waits for them, and counts.
 */
async function finishesByItself(isDone: () => Promise<boolean>): Promise<void> {
  const startedMs = Date.now()
  if (!isSoak) await forgetWaiting()
  do expect((await sweep(survivor)).status).toBe(200)
  while (!(await isDone()) && Date.now() - startedMs < BY_ITSELF_MS && (await pause()))
  took.push(Date.now() - startedMs)
  expect(await isDone(), 'it is finished by itself').toBe(true)
}

async function forgetWaiting(): Promise<void> {
  await adminSql()`update public.payments set checked_at = now() - interval '10 minutes' where status in ('creating', 'unknown')`
  await adminSql()`update private.refund_requests set checked_at = now() - interval '10 minutes' where status = 'reserved'`
  await adminSql()`update private.webhook_events set next_attempt_at = now() where status = 'pending'`
  await adminSql()`update private.erasures set tried_at = null`
  await adminSql()`update private.payment_decisions set tried_at = now() - interval '10 minutes' where done_at is null`
}

async function pause(): Promise<true> {
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  return true
}

async function payingDiesAt(point: CrashPoint): Promise<void> {
  const person = await newPerson()
  const orderId = await newOrder(person.id)
  const key = randomUUID()
  const create = (server: string) => startPayment(person, orderId, { key, server })
  await withServerDyingAt(point, create)

  // Before there is a payment, nothing is to be finished.
  if (point !== 'customer.made') {
    const payments = () => adminSql()`select status from public.payments where order_id = ${orderId}`
    await finishesByItself(async () => (await payments())[0]?.status === 'requires_payment_method')
    expect(await payments()).toHaveLength(1)
  }
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

  const status = async () => {
    const [row] = await adminSql()`select status from private.refund_requests where payment_id = ${paymentId}`
    return row?.status
  }
  await finishesByItself(async () => (await status()) === 'made')

  expect((await stripeSdk().refunds.list({ payment_intent: intentId })).data).toMatchObject([{ amount: 900 }])
  expect((await ask(survivor)).status).toBe(201)
  const refunds =
    await adminSql()`select amount_minor::int as amount, request_id is not null as ours from public.refunds where payment_id = ${paymentId}`
  expect(refunds).toEqual([{ amount: 900, ours: true }])
}

async function decidingDiesAt(point: CrashPoint): Promise<void> {
  const person = await newPerson()
  const response = await startPayment(person, await newOrder(person.id))
  const { id: paymentId } = (await response.json()) as { id: string }
  await adminSql()`insert into private.payment_decisions (payment_id, decision, reason) values (${paymentId}, 'cancel', 'idle')`
  await setOpenPaymentsAside()
  await withServerDyingAt(point, (url) => sweep(url))

  const row = async () => {
    const [found] = await adminSql()`
      select status, stripe_payment_intent_id as intent from public.payments where id = ${paymentId}`
    return found
  }
  await finishesByItself(async () => (await row())?.status === 'canceled')

  expect((await stripeSdk().paymentIntents.retrieve(String((await row())?.intent))).status).toBe('canceled')
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

  await finishesByItself(async () => {
    const [kept] = await adminSql()`select status from private.webhook_events where event_id = ${event.id}`
    return kept?.status === 'processed'
  })
  expect((await postEvent(survivor, event, { secret })).status).toBe(200)
  expect(await refundRows(paymentId)).toEqual([{ amount: 300 }])
  const [postings] = await adminSql()`
    select count(*)::int as n from private.ledger_transactions where payment_id = ${paymentId} and movement = 'refund'`
  expect(postings?.n).toBe(1)
}

const refundRows = (paymentId: string) =>
  adminSql()`select amount_minor::int as amount from public.refunds where payment_id = ${paymentId}`

async function reconcilingDiesAt(point: CrashPoint): Promise<void> {
  const { paymentId, intentId } = await paid()
  await adminSql()`update public.payments set amount_refunded_minor = 7 where id = ${paymentId}`
  const run = ['--repair', '--since', new Date(Date.now() - 60_000).toISOString()]
  const { child, ended } = startReconcile(run, { CRASH_AT: point })
  const { code, report: early, errors } = await ended
  const instead = `${code} ${JSON.stringify(early?.ending)} ${errors}`
  expect(child.signalCode, `the run reaches ${point}; it ended with ${instead}`).toBe('SIGKILL')

  // The lease of a dead holder runs out after 20 seconds.
  await adminSql()`update private.job_leases set expires_at = now() where name = 'reconcile_test'`
  const { report } = await reconcileNow(run)

  expect(report.resumed).toBe(true)
  const [row] =
    await adminSql()`select amount_refunded_minor::int as refunded from public.payments where id = ${paymentId}`
  expect(row?.refunded).toBe(0)
  const findings = await adminSql()`
    select kind, resolved from private.reconcile_findings where run_id = ${report.runId} and subject = ${intentId}`
  expect(findings).toEqual([{ kind: 'refund_sum', resolved: true }])
}

async function mailingDiesAt(point: CrashPoint): Promise<void> {
  const payment = await openedPayment()
  const succeeded = eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))
  // First between the fact and its mail: what is committed is owed.
  await withServerDyingAt('event.applied', (url) => postEvent(url, succeeded, { secret }))
  await withServerDyingAt(point, async (url) => {
    // Late webhooks of earlier tests owe mails, too: it is not to die of those.
    await setOtherMailsAside()
    await bringForward(payment.customerId)
    return await outbox(url)
  })

  // A dead holder's lease runs out after 20 seconds, its claim after a minute.
  await adminSql()`update private.job_leases set expires_at = now() where name = 'outbox_test'`
  await adminSql()`update private.outbox set due_at = now() where customer_id = ${payment.customerId}`
  expect((await outbox(survivor)).status).toBe(200)
  expect((await outbox(survivor)).status).toBe(200)

  expect(await mailsOwedTo(payment.customerId)).toMatchObject([
    { kind: 'receipt', status: 'sent', attempts: 2 },
  ])
  // Once; when it died after the mail server had taken it, once more.
  expect(await ownMails(payment.userId)).toHaveLength(point === 'mail.handed' ? 2 : 1)
}

async function sealingDiesAt(point: CrashPoint): Promise<void> {
  const seal = (url: string) =>
    fetch(`${url}/api/cron/seal`, {
      method: 'POST',
      headers: { authorization: `Bearer ${env.CRON_SECRET}` },
    })
  await openedPayment()
  await withServerDyingAt(point, seal)

  const response = await seal(survivor)

  expect(response.status).toBe(200)
  const head = (await response.json()) as { count: number; hash: string; headHolds: boolean }
  expect(head.headHolds).toBe(true)
  expect(await verifyAuditLog({ head, call: asService })).toMatchObject({ findings: [] })
}

async function erasingDiesAt(point: CrashPoint): Promise<void> {
  const { person, paymentId } = await paid()
  const [customer] = await adminSql()`
    select c.id, s.stripe_customer_id as stripe from public.customers c
    join private.stripe_customers s on s.customer_id = c.id where c.user_id = ${person.id}`
  const ledger = await ledgerOf(paymentId)
  await withServerDyingAt(point, (url) => eraseAccount(person, { server: url }))

  await finishesByItself(async () => {
    const [row] =
      await adminSql()`select finished_at from private.erasures where customer_id = ${String(customer?.id)}`
    return row?.finished_at !== null
  })

  expect(await stripeSdk().customers.retrieve(String(customer?.stripe))).toMatchObject({ deleted: true })
  expect(await columnsHolding([person.email])).toEqual([])
  expect(await ledgerOf(paymentId)).toEqual(ledger)
  const steps = await adminSql()`
    select action from private.audit_log where subject_id = ${String(customer?.id)} and action like 'erasure.%' order by id`
  expect(steps.map(({ action }) => action)).toEqual(
    ['begun', 'rows_erased', 'stripe_deleted', 'finished'].map((step) => `erasure.${step}`),
  )
  expect((await eraseAccount(person)).status).toBe(401)
}

async function subscribingDiesAt(point: CrashPoint): Promise<void> {
  const person = await newPerson()
  const ask = (server: string) => post('/api/billing/checkouts', person, { planId: PLANS.basic }, { server })
  await withServerDyingAt(point, ask)

  const again = await ask(survivor)

  expect(again.status).toBe(201)
  const { url } = (await again.json()) as { url: string }
  const rows = await adminSql()`select k.stripe_session_id as session from private.subscription_checkouts k
    join public.customers c on c.id = k.customer_id where c.user_id = ${person.id}`
  expect(rows).toHaveLength(1)
  expect(new URL(url).pathname.endsWith(String(rows[0]?.session))).toBe(true)
  const [customer] = await adminSql()`select s.stripe_customer_id as id from private.stripe_customers s
    join public.customers c on c.id = s.customer_id where c.user_id = ${person.id}`
  expect((await stripeSdk().checkout.sessions.list({ customer: String(customer?.id) })).data).toHaveLength(1)
}

/** Each point by what its name begins with. */
const SCENARIOS: Record<string, (point: CrashPoint) => Promise<void>> = {
  customer: payingDiesAt,
  payment: payingDiesAt,
  refund: refundingDiesAt,
  decision: decidingDiesAt,
  event: hearingDiesAt,
  reconcile: reconcilingDiesAt,
  mail: mailingDiesAt,
  erasure: erasingDiesAt,
  audit: sealingDiesAt,
  checkout: subscribingDiesAt,
}
const ROUNDS = Array.from({ length: inSoak(1, 20) }, (_, round) => round + 1)

describe('a process that is killed with -9', () => {
  afterAll(() => {
    if (isSoak)
      console.log(
        `What was left was finished by itself within ${Math.max(...took)} ms, ${took.length} times.`,
      )
  })

  it.each(ROUNDS.flatMap((round) => CRASH_POINTS.map((point) => ({ point, round }))))(
    'at $point loses nothing and doubles nothing, and the rest happens by itself (C1, C2), round $round',
    async ({ point }) => {
      const scenario = SCENARIOS[point.split('.')[0] ?? '']
      if (!scenario) return expect.fail(`nothing kills a process at ${point} yet: write what it does there`)

      await scenario(point)
    },
    120_000,
  )
})
