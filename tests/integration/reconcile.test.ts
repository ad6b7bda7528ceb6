import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { ledgerOf, until } from '../support/paid'
import { newOrder, openedPayment } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { reconcileNow, startReconcile } from '../support/reconcile-command'
import { startPayment } from '../support/requests'
import { type Stack, startStack } from '../support/stack'
import { shareStacks, stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'
import { startStripeProxy } from '../support/stripe-proxy'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'

const LEASE = 'reconcile_test'
const shared = stack()
let own: Stack

/** Totals are those of the whole account, so these tests have one of their own. */
beforeAll(async () => {
  // Here Stripe lists all it has, again and again.
  own = await startStack({ stripeContract: false })
  const { logs: _logs, stop: _stop, restartServer: _restart, ...facts } = own
  shareStacks([facts])
}, 120_000)
afterAll(async () => {
  shareStacks([shared])
  await adminSql().end({ timeout: 5 })
  await own?.stop()
}, 180_000)

const cron = (server: string | undefined, secret: string | null = own.env.CRON_SECRET ?? '') =>
  fetch(`${server}/api/cron/reconcile`, {
    method: 'POST',
    headers: secret === null ? {} : { authorization: `Bearer ${secret}` },
  })

type Confirmed = { paymentId: string; orderId: string; intentId: string }

/** Opened in our app and paid at Stripe; nobody waits for our side to hear of it. */
async function confirmed(person: Person, card = 'pm_card_visa'): Promise<Confirmed> {
  const orderId = await newOrder(person.id)
  const response = await startPayment(person, orderId)
  expect(response.status).toBe(201)
  const { id: paymentId } = (await response.json()) as { id: string }
  const [row] =
    await adminSql()`select stripe_payment_intent_id as id from public.payments where id = ${paymentId}`
  const intentId = String(row?.id)
  await stripeSdk().paymentIntents.confirm(intentId, {
    payment_method: card,
    return_url: stack().appOrigin,
  })
  return { paymentId, orderId, intentId }
}

async function manyConfirmed(howMany: number, card?: string): Promise<Confirmed[]> {
  const payments: Confirmed[] = []
  // Ten new payments a minute is what one person may open.
  for (let person = await newPerson(); payments.length < howMany; person = await newPerson()) {
    for (let n = 0; n < 8 && payments.length < howMany; n++) payments.push(await confirmed(person, card))
  }
  return payments
}

/** A refund at Stripe, of which Stripe has told all there is to tell. */
async function refundThatEnds(intentId: string, amount: number): Promise<string> {
  const { id } = await stripeSdk().refunds.create({ payment_intent: intentId, amount })
  await until(async () => {
    const told = await stripeSdk().events.list({ type: 'refund.updated', limit: 100 })
    return told.data.some(({ data }) => 'id' in data.object && data.object.id === id)
  })
  return id
}

/** The long run has 200 payments in it: at ten requests a second to Stripe, each takes a moment. */
const BUSY = process.env.SOAK ? 198 : 30
const BUSY_TIMEOUT_MS = process.env.SOAK ? 900_000 : 180_000

/** So many and two more paid, these two disputed; five refunded at Stripe, whose money has arrived there. */
async function busyDay(): Promise<Confirmed[]> {
  const payments = [...(await manyConfirmed(BUSY)), ...(await manyConfirmed(2, 'pm_card_createDispute'))]
  await Promise.all(payments.slice(0, 5).map(({ intentId }) => refundThatEnds(intentId, 900)))
  for (const { intentId } of payments.slice(-2))
    await until(async () => (await stripeSdk().disputes.list({ payment_intent: intentId })).data.length === 1)
  const last = await stripeSdk().charges.list({ limit: 100 })
  await until(async () => {
    const charges = await Promise.all(last.data.slice(0, 3).map(({ id }) => stripeSdk().charges.retrieve(id)))
    return charges.every((charge) => charge.balance_transaction !== null)
  })
  return payments
}

/** What has become of each: one line a payment, so that a doubled or lost effect shows. */
async function effectsOf(payments: Confirmed[]) {
  return await adminSql()`
    select p.status, o.status as order_status, p.amount_refunded_minor::int as refunded,
      (select count(*)::int from public.refunds r where r.payment_id = p.id) as refunds,
      (select count(*)::int from public.disputes d where d.payment_id = p.id) as disputes,
      (select string_agg(t.movement, ' ' order by t.movement) from private.ledger_transactions t where t.payment_id = p.id) as postings,
      (select coalesce(sum(e.amount_minor), 0)::int from private.ledger_entries e join private.ledger_transactions t on t.id = e.transaction_id
        where t.payment_id = p.id and e.account = 'stripe_clearing') as clearing,
      (select count(*)::int from private.audit_log a where a.subject_id = p.id::text and a.action = 'payment.succeeded') as succeeded,
      (select count(*)::int from private.audit_log a where a.subject_id = o.id::text and a.action = 'order.paid') as order_paid
    from public.payments p join public.orders o on o.id = p.order_id
    where p.id = any (${payments.map(({ paymentId }) => paymentId)}::uuid[]) order by array_position(${payments.map(({ paymentId }) => paymentId)}::uuid[], p.id)`
}

const PAID = {
  status: 'succeeded',
  order_status: 'paid',
  refunded: 0,
  refunds: 0,
  disputes: 0,
  postings: 'charge settlement',
  clearing: 0,
  succeeded: 1,
  order_paid: 1,
}
const REFUNDED = { ...PAID, refunded: 900, refunds: 1, postings: 'charge refund settlement settlement' }
const DISPUTED = { ...PAID, disputes: 1, postings: 'charge dispute_withdrawal settlement settlement' }
const BUSY_DAY = [...Array(5).fill(REFUNDED), ...Array(BUSY - 5).fill(PAID), ...Array(2).fill(DISPUTED)]

const noLeaseHeld = () => adminSql()`update private.job_leases set expires_at = now() where name = ${LEASE}`
const foundIn = (findings: { kind: string; subject: string }[]) =>
  findings.map(({ kind, subject }) => `${kind} ${subject}`).sort()

describe('missed webhooks', () => {
  it(
    'one run takes in the events and brings every payment, refund and dispute up to date (R1)',
    async () => {
      const payments = await withoutWebhooks(busyDay)
      expect(await effectsOf(payments)).not.toEqual(BUSY_DAY)

      const { code, outcome, report, totals } = await reconcileNow(['--repair'])

      expect(await effectsOf(payments)).toEqual(BUSY_DAY)
      expect({ code, outcome, failed: report.counts.eventsFailed }).toEqual({
        code: 0,
        outcome: 'clean',
        failed: 0,
      })
      expect(report.counts.eventsMissed).toBeGreaterThan((BUSY + 2) * 3)
      expect(totals).toMatchObject([{ currency: 'eur', differenceMinor: 0 }])
      const again = await reconcileNow(['--repair'])
      expect(again).toMatchObject({ code: 0, outcome: 'clean', findings: [] })
      expect(again.report.counts.eventsMissed).toBe(0)
    },
    BUSY_TIMEOUT_MS,
  )

  it(
    'comparing alone does the same when there are no events to take in (R1)',
    async () => {
      const proxy = await startStripeProxy(own.env.STRIPE_API_BASE ?? '', (path) =>
        path === '/v1/events'
          ? { status: 200, body: { object: 'list', url: path, has_more: false, data: [] } }
          : undefined,
      )
      try {
        const since = new Date().toISOString()
        const payments = await withoutWebhooks(busyDay)

        const { code, outcome, report, findings } = await reconcileNow(['--repair', '--since', since], {
          STRIPE_API_BASE: proxy.url,
        })

        expect(await effectsOf(payments)).toEqual(BUSY_DAY)
        expect({ code, outcome, events: report.counts.events }).toEqual({
          code: 0,
          outcome: 'repaired',
          events: 0,
        })
        expect(findings.filter(({ kind }) => kind === 'status')).toHaveLength(BUSY + 2)
        expect(
          findings
            .filter(({ kind }) => kind === 'missing_here')
            .map(({ object }) => object)
            .sort(),
        ).toEqual(['dispute', 'dispute', ...Array(5).fill('refund')])
        expect(proxy.mostInASecond()).toBeLessThanOrEqual(10)
      } finally {
        await proxy.close()
      }
    },
    BUSY_TIMEOUT_MS,
  )
})

describe('totals', () => {
  it('agree with the balance in two currencies, and show what went through the exchange (R5)', async () => {
    // Stripe counts in whole seconds: what was before is not of the same one.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const since = new Date(Date.now() - 500).toISOString()
    const settleIn = async (settlementCurrency: string | null) => {
      const answer = await fetch(`${own.env.STRIPE_API_BASE}/_local/account`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${own.localSecret}` },
        body: JSON.stringify({ settlementCurrency }),
      })
      expect(answer.status).toBe(200)
    }
    const payIn = (currency: string, amount: number) =>
      stripeSdk().paymentIntents.create({
        amount,
        currency,
        payment_method: 'pm_card_visa',
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      })
    const isSettled = (id: string) =>
      until(async () => {
        const [row] = await adminSql()`
          select count(*)::int as n from private.ledger_transactions t join public.payments p on p.id = t.payment_id
          where p.stripe_payment_intent_id = ${id} and t.movement = 'settlement'`
        return row?.n === 1
      })
    try {
      await settleIn('eur')
      const exchanged = await payIn('usd', 5000)
      await isSettled(exchanged.id)
      await stripeSdk().refunds.create({ payment_intent: exchanged.id, amount: 1234 })
      await isSettled((await payIn('eur', 3000)).id)
      await settleIn(null)
      await isSettled((await payIn('usd', 7000)).id)

      const { code, outcome, totals } = await reconcileNow(['--repair', '--since', since])

      const balance = new Map<string, number>()
      const from = Math.floor(Date.parse(since) / 1000)
      for await (const { currency, net } of stripeSdk().balanceTransactions.list({ created: { gte: from } }))
        balance.set(currency, (balance.get(currency) ?? 0) + net)
      expect(code, outcome).toBe(0)
      expect(
        totals.map(({ currency, stripeMinor, differenceMinor }) => [currency, stripeMinor, differenceMinor]),
      ).toEqual([
        ['eur', balance.get('eur'), 0],
        ['usd', balance.get('usd'), 0],
      ])
      expect(totals.find(({ currency }) => currency === 'usd')?.exchangeMinor).toBe(5000 - 1234)
      expect(totals.find(({ currency }) => currency === 'eur')?.exchangeMinor).toBeLessThan(0)
    } finally {
      await settleIn(null)
    }
  }, 120_000)
})

describe('many at once', () => {
  it('overlapping runs beside live webhooks have no effect twice (R2)', async () => {
    const people = await Promise.all([newPerson(), newPerson(), newPerson()])
    let isOver = false
    const statuses = new Set<number>()
    const runs = [0, 1, 0].map(async (server) => {
      while (!isOver) statuses.add((await cron(own.serverUrls[server])).status)
    })
    // The lease would keep them apart: take it away again and again, so that they really overlap.
    const robbing = setInterval(() => void noLeaseHeld(), 150)

    const payments: Confirmed[] = []
    try {
      for (let n = 0; n < 6; n++)
        payments.push(...(await Promise.all(people.map((person) => confirmed(person)))))
      for (const { intentId } of payments.slice(0, 5))
        await stripeSdk().refunds.create({ payment_intent: intentId, amount: 900 })
      await until(async () => {
        const rows = await effectsOf(payments)
        return (
          rows.every((row) => row.clearing === 0) && rows.slice(0, 5).every((row) => row.refunded === 900)
        )
      }, 40_000)
    } finally {
      clearInterval(robbing)
      isOver = true
      await Promise.all(runs)
      await noLeaseHeld()
    }

    expect(await effectsOf(payments)).toEqual([...Array(5).fill(REFUNDED), ...Array(13).fill(PAID)])
    expect([...statuses].filter((status) => ![200, 202, 409].includes(status))).toEqual([])
    expect((await reconcileNow(['--repair'])).outcome).toBe('clean')
  }, 120_000)

  it('the address needs its secret, and a second run at the same time is told so (R6)', async () => {
    const [first, second] = own.serverUrls

    const refused = [await cron(first, null), await cron(first, 'wrong'), await cron(first, '')]
    const both = await Promise.all([cron(first), cron(second)])

    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    const late = both.find(({ status }) => status === 409)
    expect(await late?.json()).toMatchObject({ error: { code: 'already_running' } })
  })
})

describe('leases', () => {
  const take = (name: string, seconds: number) =>
    callService<{ token: string; fencing: number } | null>('take_lease', { p_name: name, p_seconds: seconds })
  const release = (name: string, token: string) =>
    callService<boolean>('release_lease', { p_name: name, p_token: token })
  const renew = (name: string, token: string) =>
    callService<boolean>('renew_lease', { p_name: name, p_token: token, p_seconds: 30 })
  const newName = () => `job_${randomUUID().replaceAll(/[^a-f]/g, '')}`

  it('one of fifty gets it, and its number is higher each time', async () => {
    const name = newName()

    const taken = (await Promise.all(Array.from({ length: 50 }, () => take(name, 30)))).filter(
      (lease) => lease !== null,
    )

    expect(taken).toHaveLength(1)
    expect(await release(name, taken[0]?.token ?? '')).toBe(true)
    expect((await take(name, 30))?.fencing).toBe((taken[0]?.fencing ?? 0) + 1)
  })

  it('a holder whose time is over can neither renew, release nor write, before and after somebody else has it (C10)', async () => {
    const first = await take(LEASE, 1)
    if (!first) throw new Error('the lease is free')
    const { id } = await callService<{ id: string }>('start_reconcile', {
      p_livemode: false,
      p_fencing: first.fencing,
      p_mode: 'dry_run',
    })
    const write = (fencing: number) =>
      callService('note_reconcile', {
        p_run: id,
        p_fencing: fencing,
        p_objects: {},
        p_cursor: { step: 'events' },
        p_counts: {},
      }).then(
        () => 'written',
        (error: { code: string }) => error.code,
      )
    const asFirst = async () => [
      await renew(LEASE, first.token),
      await release(LEASE, first.token),
      await write(first.fencing),
    ]
    await new Promise((resolve) => setTimeout(resolve, 1_100))

    const expired = await asFirst()
    const second = await take(LEASE, 30)
    const late = await asFirst()

    expect(expired).toEqual([false, false, '55000'])
    expect(late).toEqual([false, false, '55000'])
    expect(second?.fencing).toBe(first.fencing + 1)
    expect(await renew(LEASE, second?.token ?? '')).toBe(true)
    expect(await release(LEASE, second?.token ?? '')).toBe(true)
    await adminSql()`update private.reconcile_runs set outcome = 'abandoned', finished_at = now() where id = ${id}`
  })
})

describe('drift', () => {
  it('finds every kind and nothing else, repairs what is safe, and ends with 1 for the rest (R3)', async () => {
    const since = new Date(Date.now() - 1000).toISOString()
    const payments = await manyConfirmed(6)
    await until(async () => (await effectsOf(payments)).every(({ postings }) => postings === PAID.postings))
    const [status, amount, refundSum, refundStatus, alsoRefunded, healthy] = payments
    if (!status || !amount || !refundSum || !refundStatus || !alsoRefunded || !healthy)
      throw new Error('six are paid')
    const refunded = await refundThatEnds(refundStatus.intentId, 100)
    await until(async () => (await ledgerOf(refundStatus.paymentId)).refunds_eur === 100)
    const before = await reconcileNow(['--dry-run', '--since', since])

    await adminSql()`update public.payments set status = 'processing', version = version + 1 where id = ${status.paymentId}`
    await adminSql()`update public.payments set amount_received_minor = 2399 where id = ${amount.paymentId}`
    await adminSql()`update public.payments set amount_refunded_minor = 7 where id = ${refundSum.paymentId}`
    await adminSql()`update public.refunds set status = 'pending' where stripe_refund_id = ${refunded}`
    const missingThere = await openedPayment()
    await adminSql()`update public.payments set stripe_payment_intent_id = ${missingThere.intentId}, status = 'processing' where id = ${missingThere.paymentId}`
    const inventedId = `txn_${randomUUID()}`
    await adminSql().begin(async (sql) => {
      const [transaction] = await sql`
        insert into private.ledger_transactions (livemode, stripe_object_id, movement, payment_id)
        values (false, ${inventedId}, 'settlement', ${healthy.paymentId}) returning id`
      await sql`insert into private.ledger_entries (transaction_id, account, amount_minor, currency) values
        (${transaction?.id}, 'stripe_balance', 11, 'eur'), (${transaction?.id}, 'fees', -11, 'eur')`
    })
    const pay = (metadata: Record<string, string>) =>
      stripeSdk().paymentIntents.create({
        amount: 1500,
        currency: 'eur',
        metadata,
        payment_method: 'pm_card_visa',
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      })
    const orphan = await pay({ payment_id: randomUUID() })
    await until(async () => {
      const [row] = await adminSql()`
        select count(*)::int as n from private.ledger_transactions t join public.payments p on p.id = t.payment_id
        where p.stripe_payment_intent_id = ${orphan.id} and t.movement = 'settlement'`
      return row?.n === 1
    })
    // Only the event that tells of the payment arrives, not the one about its money.
    const { missingHere, missingRefund, half, halfMoney } = await withoutWebhooks(async () => {
      const missingRefund = await refundThatEnds(alsoRefunded.intentId, 50)
      const missingHere = await pay({})
      const half = await pay({})
      await postEvent(own.serverUrls[0] ?? '', eventOf('payment_intent.succeeded', { ...half }), {
        secret: own.env.STRIPE_WEBHOOK_SECRET ?? '',
      })
      const settled = async () =>
        (
          await stripeSdk().paymentIntents.retrieve(half.id, {
            expand: ['latest_charge.balance_transaction'],
          })
        ).latest_charge
      let money = ''
      await until(async () => {
        const charge = await settled()
        const transaction = charge && typeof charge === 'object' ? charge.balance_transaction : null
        money = transaction && typeof transaction === 'object' ? transaction.id : ''
        return money !== ''
      })
      await until(async () => {
        const charges = (await stripeSdk().charges.list({ payment_intent: missingHere.id })).data
        return charges[0]?.balance_transaction !== null
      })
      return { missingHere, missingRefund, half, halfMoney: money }
    })
    expect(half.status).toBe('succeeded')

    const safe = [
      `status ${status.intentId}`,
      `amount ${amount.intentId}`,
      `refund_sum ${refundSum.intentId}`,
      `status ${refunded}`,
      `missing_here ${missingHere.id}`,
      `missing_here ${missingRefund}`,
      `ledger ${halfMoney}`,
    ]
    const forPeople = [
      `missing_there ${missingThere.intentId}`,
      `orphan ${orphan.id}`,
      `ledger ${inventedId}`,
    ]
    const dry = await reconcileNow(['--dry-run', '--since', since])
    const repaired = await reconcileNow(['--repair', '--since', since])
    const after = await reconcileNow(['--dry-run', '--since', since])

    expect(before).toMatchObject({ code: 0, outcome: 'clean', findings: [] })
    expect(foundIn(dry.findings)).toEqual([...safe, ...forPeople].sort())
    expect(dry.code).toBe(1)
    expect(foundIn(repaired.findings.filter(({ resolved }) => !resolved))).toEqual(forPeople.sort())
    expect({ code: repaired.code, outcome: repaired.outcome }).toEqual({ code: 1, outcome: 'drift' })
    expect(foundIn(after.findings)).toEqual(forPeople.sort())
    expect(after.totals).toMatchObject([
      { currency: 'eur', differenceMinor: -11, unpostedMinor: 0, differingMinor: 0, notAtStripeMinor: 11 },
    ])
    const alerts =
      await adminSql()`select kind || ' ' || subject_id as line from private.alerts where kind like 'reconcile%'`
    expect(alerts.map(({ line }) => line).sort()).toEqual(forPeople.map((line) => `reconcile_${line}`).sort())
  }, 180_000)
})

/** A Stripe with so many PaymentIntents, listed as Stripe lists; every ninth answer is a 429. */
function bigStripe(howMany: number) {
  const created = Math.floor(Date.now() / 1000)
  let asked = 0
  return startStripeProxy(own.env.STRIPE_API_BASE ?? '', (path, query) => {
    if (++asked % 9 === 0)
      return {
        status: 429,
        body: { error: { type: 'invalid_request_error', code: 'rate_limit', message: '' } },
      }
    const list = (data: unknown[], has_more: boolean) => ({
      status: 200,
      body: { object: 'list', url: path, has_more, data },
    })
    if (path.split('/').length > 3)
      return {
        status: 404,
        body: { error: { type: 'invalid_request_error', code: 'resource_missing', message: '' } },
      }
    if (path !== '/v1/payment_intents') return list([], false)
    const from = Number(query.get('starting_after')?.split('_').at(-1) ?? -1) + 1
    const to = Math.min(from + 100, howMany)
    const intents = Array.from({ length: to - from }, (_, n) => ({
      object: 'payment_intent',
      id: `pi_big_${from + n}`,
      created,
      status: 'canceled',
      amount: 100,
      amount_received: 0,
      currency: 'eur',
      customer: null,
      latest_charge: null,
      metadata: {},
    }))
    return list(intents, to < howMany)
  })
}

describe('a big account', () => {
  const pagesOf = (proxy: Awaited<ReturnType<typeof bigStripe>>) =>
    proxy.requests.filter(({ path }) => path === '/v1/payment_intents').length

  it('goes on after kill -9 where it was, at ten requests a second at most, through 429s (R4)', async () => {
    const proxy = await bigStripe(5000)
    try {
      const args = ['--dry-run', '--since', new Date().toISOString()]
      const settings = { STRIPE_API_BASE: proxy.url }
      const killed = startReconcile(args, settings)
      await until(async () => pagesOf(proxy) >= 30)
      killed.child.kill('SIGKILL')
      await killed.ended
      const pagesBefore = pagesOf(proxy)
      await noLeaseHeld()

      const { report, findings } = await reconcileNow(args, settings)

      expect(report).toMatchObject({ resumed: true, counts: { payment_intent: 5000 } })
      expect(findings.filter(({ kind }) => kind === 'missing_here')).toHaveLength(5000)
      // 50 pages, the one that was lost, and those answered 429.
      expect(pagesOf(proxy)).toBeLessThan(60)
      expect(pagesOf(proxy) - pagesBefore).toBeLessThan(30)
      expect(proxy.mostInASecond()).toBeLessThanOrEqual(10)
    } finally {
      await proxy.close()
    }
  }, 120_000)

  it('a run that was frozen past its lease writes nothing when it wakes up (C10)', async () => {
    const proxy = await bigStripe(2000)
    try {
      const args = ['--dry-run', '--since', new Date(Date.now() - 1).toISOString()]
      const settings = { STRIPE_API_BASE: proxy.url }
      const frozen = startReconcile(args, settings)
      await until(async () => pagesOf(proxy) >= 6)
      frozen.child.kill('SIGSTOP')
      await noLeaseHeld()
      const { report } = await reconcileNow(args, settings)
      const written = () => adminSql()`
        select r.fencing, r.cursor, r.outcome, r.updated_at, (select max(o.seen_at) from private.reconcile_objects o where o.run_id = r.id) as seen,
          (select fencing from private.job_leases where name = ${LEASE}) as lease
        from private.reconcile_runs r where r.id = ${report.runId}`
      const before = await written()

      frozen.child.kill('SIGCONT')
      const { code, errors } = await frozen.ended

      expect(code).toBe(2)
      expect(errors).toContain('Another run')
      expect(report.counts.payment_intent).toBe(2000)
      expect(await written()).toEqual(before)
    } finally {
      await proxy.close()
    }
  }, 120_000)
})
