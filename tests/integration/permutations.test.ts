import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { closeDatabase } from '@/lib/db/sql'
import { applyEvent } from '@/lib/payments/apply-event'
import { adminSql } from '../support/db'
import { manyOpenedPayments } from '../support/many-payments'
import type { OpenedPayment } from '../support/payment-rows'
import { inSoak } from '../support/soak'
import { stack } from '../support/stack-in-test'
import { asTold, disputing, paying, refunding, type Story } from '../support/told-stories'

// The code of the webhook and the functions in the database are the real ones. Stripe is what a story says it holds by now:
// every other way to have 1,000 orders of events takes minutes.
const held = vi.hoisted(() => new Map<string, object>())
vi.mock('@/lib/stripe/server', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/stripe/server')>()
  const retrieve = async (id: string) => structuredClone(held.get(id))
  const client = { paymentIntents: { retrieve }, refunds: { retrieve }, disputes: { retrieve } }
  return { ...actual, askStripe: async (ask: (stripe: unknown) => unknown) => await ask(client) }
})

beforeAll(() => {
  Object.assign(process.env, stack().env, { LOG_LEVEL: 'silent' })
})
afterAll(() => closeDatabase())

type Told = { payment: OpenedPayment; stories: Story[]; order: [story: number, event: number][] }

/** Deliver events in this order. At each, Stripe holds no more than it must: the newest step an event has told of yet. */
async function tell({ stories, order }: Told): Promise<void> {
  const steps = stories.map(() => -1)
  for (const [which, index] of order) {
    const story = stories[which]
    const told = story?.events[index]
    if (!story || !told) throw new Error('there is no such event')
    steps[which] = Math.max(steps[which] ?? -1, told.step)
    for (const [n, { states }] of stories.entries())
      for (const [id, object] of states[Math.max(steps[n] ?? 0, 0)] ?? []) held.set(id, object)
    await applyEvent({ ...(await asTold(told.event)), verifiedWith: 'current', source: 'webhook' })
  }
}

/** What has become of each payment, in words: equal texts are equal in everything that could be doubled, lost or undone. */
async function endings(payments: OpenedPayment[]): Promise<Map<string, string>> {
  const rows = await adminSql()`
    select p.id, concat_ws(', ', p.status, p.amount_received_minor, 'refunded ' || p.amount_refunded_minor, p.card_last4, o.status,
      (select string_agg(r.status || ' ' || r.amount_minor, ' ') from public.refunds r where r.payment_id = p.id),
      (select string_agg(d.status || ' ' || d.amount_minor || ' ' || d.due_by, ' ') from public.disputes d where d.payment_id = p.id),
      (select string_agg(b.line, ' ' order by b.line) from (
        select e.account || ' ' || sum(e.amount_minor) as line from private.ledger_entries e
        join private.ledger_transactions t on t.id = e.transaction_id where t.payment_id = p.id
        group by e.account having sum(e.amount_minor) <> 0) b),
      (select string_agg(t.movement, ' ' order by t.movement) from private.ledger_transactions t where t.payment_id = p.id),
      'charges ' || (select count(*) from private.payment_attempts a where a.payment_id = p.id),
      'paid ' || (select count(*) from private.audit_log a where a.subject_id = o.id::text and a.action = 'order.paid'),
      'succeeded ' || (select count(*) from private.audit_log a where a.subject_id = p.id::text and a.action = 'payment.succeeded'),
      'undone ' || (select count(*) from private.audit_log a where a.subject_id = p.id::text
        and a.action like 'payment.%' and a.detail ->> 'from' in ('succeeded', 'canceled'))
    ) as ending
    from public.payments p join public.orders o on o.id = p.order_id
    where p.id = any (${payments.map(({ paymentId }) => paymentId)}::uuid[])`
  return new Map(rows.map((row) => [String(row.id), String(row.ending)]))
}

const CALM = 'charges 1, paid 1, succeeded 1, undone 0'
const PAID = `succeeded, 2400, refunded 0, 4242, paid, fees 61 sales -2400 stripe_balance 2339, charge settlement, ${CALM}`
const REFUNDED = `succeeded, 2400, refunded 900, 4242, paid, succeeded 900, fees 61 refunds 900 sales -2400 stripe_balance 1439, charge refund settlement settlement, ${CALM}`
const REFUND_FAILED = `succeeded, 2400, refunded 0, 4242, paid, failed 900, fees 61 sales -2400 stripe_balance 2339, charge refund refund_reversal settlement settlement settlement, ${CALM}`
const DISPUTE_WON = `succeeded, 2400, refunded 0, 4242, paid, won 2400 2030-03-17 17:46:40+00, dispute_fees 1500 fees 61 sales -2400 stripe_balance 839, charge dispute_reinstatement dispute_withdrawal settlement settlement settlement, ${CALM}`

const AFTER_PAYING: Record<string, { make: (payment: OpenedPayment) => Story; ending: string }> = {
  refund: { make: (payment) => refunding(payment, 'succeeds'), ending: REFUNDED },
  'refund that fails': { make: (payment) => refunding(payment, 'fails'), ending: REFUND_FAILED },
  dispute: { make: disputing, ending: DISPUTE_WON },
}

const inOrder = (story: Story, which: number): Told['order'] => story.events.map((_, index) => [which, index])

function permutations<Item>(items: Item[]): Item[][] {
  if (items.length < 2) return [items]
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((others) => [item, ...others]),
  )
}

/** As many at once as the server has connections. */
async function tellAll(stories: Told[]): Promise<string[]> {
  const waiting = [...stories]
  const teller = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await tell(next)
  }
  await Promise.all(Array.from({ length: 8 }, teller))
  const told = stories.flatMap(({ stories: parts }) =>
    parts.flatMap(({ events }) => events.map(({ event }) => event.id)),
  )
  const [done] = await adminSql()`select count(*)::int as n from private.webhook_events
    where event_id = any (${told}::text[]) and status in ('processed', 'ignored')`
  expect(done?.n).toBe(told.length)
  const ended = await endings(stories.map(({ payment }) => payment))
  return stories.map(({ payment }) => ended.get(payment.paymentId) ?? 'gone')
}

describe('events in any order', () => {
  it.each(['pay', ...Object.keys(AFTER_PAYING)])(
    'all 120 orders of five events end alike, as Stripe has it: %s (W13, W14)',
    async (name) => {
      const orders = permutations([0, 1, 2, 3, 4])
      const payments = await manyOpenedPayments(orders.length)
      const after = AFTER_PAYING[name]

      const ended = await tellAll(
        payments.map((payment, n): Told => {
          const pay = paying(payment)
          const order = orders[n] ?? []
          if (!after) return { payment, stories: [pay], order: order.map((index) => [0, index]) }
          const stories = [pay, after.make(payment)]
          return {
            payment,
            stories,
            order: [...inOrder(pay, 0), ...order.map((i): [number, number] => [1, i])],
          }
        }),
      )

      expect(ended).toEqual(Array(120).fill(after?.ending ?? PAID))
    },
  )

  it('any order of a whole story, with duplicates and what belongs to different objects mixed, ends as Stripe has it (W13, W14)', async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
    const many = inSoak(520, 10_000)
    console.info(`${many} mixed orders, seed ${seed}`)
    const kinds = fc.constantFrom(...Object.keys(AFTER_PAYING))
    // A shuffle of ten events, and up to four of them again, anywhere.
    const plan = fc.record({
      kind: kinds,
      order: fc.shuffledSubarray([...Array(10).keys()], { minLength: 10 }),
      again: fc.array(fc.tuple(fc.nat(9), fc.nat(13)), { maxLength: 4 }),
    })
    const plans = fc.sample(plan, { numRuns: many, seed })
    const payments = await manyOpenedPayments(many)

    const ended = await tellAll(
      plans.map(({ kind, order, again }, n): Told => {
        const payment = payments[n]
        const after = AFTER_PAYING[kind]
        if (!payment || !after) throw new Error('every plan has its payment')
        const mixed = again.reduce((list, [event, at]) => list.toSpliced(at, 0, event), order)
        return {
          payment,
          stories: [paying(payment), after.make(payment)],
          order: mixed.map((event) => [event < 5 ? 0 : 1, event % 5]),
        }
      }),
    )

    const wrong = ended.flatMap((ending, n) =>
      ending === AFTER_PAYING[plans[n]?.kind ?? '']?.ending ? [] : [{ ...plans[n], ending }],
    )
    expect(wrong).toEqual([])
  }, 1_800_000)

  it('all of them at once, twice each, post one movement per cause (W12)', async () => {
    const payments = await manyOpenedPayments(12)
    const kinds = Object.values(AFTER_PAYING)

    for (const [n, payment] of payments.entries()) {
      const stories = [paying(payment), kinds[n % kinds.length]?.make(payment) ?? paying(payment)]
      for (const { states } of stories) for (const [id, object] of states.at(-1) ?? []) held.set(id, object)
      const events = stories.flatMap(({ events }) => [...events, ...events])
      for (let tries = 0; tries < 3; tries++) {
        // Stripe sends again what was answered 503: a row may have kept moving.
        await Promise.allSettled(
          events.map(async ({ event }) =>
            applyEvent({ ...(await asTold(event)), verifiedWith: 'current', source: 'webhook' }),
          ),
        )
      }
    }

    const ended = await endings(payments)
    expect(payments.map(({ paymentId }) => ended.get(paymentId))).toEqual(
      payments.map((_, n) => kinds[n % kinds.length]?.ending),
    )
  })
})
