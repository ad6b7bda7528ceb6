import { describe, expect, it } from 'vitest'
import {
  type Confirmed,
  confirmed,
  effectsOf,
  manyConfirmed,
  noLeaseHeld,
  PAID,
  refundThatEnds,
} from '../support/confirmed-payments'
import { adminSql } from '../support/db'
import { inOwnStack } from '../support/own-stack'
import { until } from '../support/paid'
import { newPerson } from '../support/people'
import { reconcileNow } from '../support/reconcile-command'
import { inSoak, isSoak } from '../support/soak'
import { stack } from '../support/stack-in-test'
import { startStripeProxy } from '../support/stripe-proxy'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'

// Totals are those of the whole account.
inOwnStack()

const cron = (server: string | undefined, secret: string | null = stack().env.CRON_SECRET ?? '') =>
  fetch(`${server}/api/cron/reconcile`, {
    method: 'POST',
    headers: secret === null ? {} : { authorization: `Bearer ${secret}` },
  })

/** The long run has 200 payments in it: at ten requests a second to Stripe, each takes a moment. */
const BUSY = inSoak(30, 198)
const BUSY_TIMEOUT_MS = isSoak ? 900_000 : 180_000

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

const REFUNDED = { ...PAID, refunded: 900, refunds: 1, postings: 'charge refund settlement settlement' }
const DISPUTED = { ...PAID, disputes: 1, postings: 'charge dispute_withdrawal settlement settlement' }
const BUSY_DAY = [...Array(5).fill(REFUNDED), ...Array(BUSY - 5).fill(PAID), ...Array(2).fill(DISPUTED)]

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
      const proxy = await startStripeProxy(stack().env.STRIPE_API_BASE ?? '', (path) =>
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
      const answer = await fetch(`${stack().env.STRIPE_API_BASE}/_local/account`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${stack().localSecret}` },
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
      while (!isOver) {
        statuses.add((await cron(stack().serverUrls[server])).status)
        // Whoever is refused comes again soon, and leaves the machine to others meanwhile.
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    })
    // The lease would keep them apart: take it away again and again, so that they really overlap.
    const robbing = setInterval(() => void noLeaseHeld(), 150)

    const payments: Confirmed[] = []
    try {
      for (let n = 0; n < 6; n++)
        payments.push(...(await Promise.all(people.map((person) => confirmed(person)))))
      for (const { intentId } of payments.slice(0, 5))
        await stripeSdk().refunds.create({ payment_intent: intentId, amount: 900 })
      // What has not been heard of at all has a balance of nothing, too.
      await until(async () => {
        const rows = await effectsOf(payments)
        return rows.every(({ postings }, n) => postings === (n < 5 ? REFUNDED : PAID).postings)
      }, 60_000)
    } finally {
      clearInterval(robbing)
      isOver = true
      await Promise.all(runs)
      await noLeaseHeld()
    }

    expect(await effectsOf(payments)).toEqual([...Array(5).fill(REFUNDED), ...Array(13).fill(PAID)])
    expect([...statuses].filter((status) => ![200, 202, 409].includes(status))).toEqual([])
    // One that was left half-way may have found what was still on its way: what is here now is for a new one to say.
    await adminSql()`update private.reconcile_runs set outcome = 'abandoned', finished_at = now() where finished_at is null`
    expect((await reconcileNow(['--repair'])).outcome).toBe('clean')
  }, 180_000)

  it('the address needs its secret, and a second run at the same time is told so (R6)', async () => {
    const [first, second] = stack().serverUrls

    const refused = [await cron(first, null), await cron(first, 'wrong'), await cron(first, '')]
    const both = await Promise.all([cron(first), cron(second)])

    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401])
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409])
    const late = both.find(({ status }) => status === 409)
    expect(await late?.json()).toMatchObject({ error: { code: 'already_running' } })
  })
})
