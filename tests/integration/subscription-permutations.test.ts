import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { closeDatabase } from '@/lib/db/sql'
import { applyEvent } from '@/lib/payments/apply-event'
import { syncObject } from '@/lib/payments/sync-object'
import {
  type BillingStory,
  cancelling,
  checkingOut,
  completing,
  FAILED_AT,
  fallingBehind,
  manySubscribers,
  renewing,
  type Subscriber,
} from '../support/billing-stories'
import { adminSql } from '../support/db'
import { inSoak } from '../support/soak'
import { stack } from '../support/stack-in-test'
import { asTold } from '../support/told-stories'

// As in permutations.test.ts: the real code and the real database; Stripe is what a story says it holds by now.
const held = vi.hoisted(() => new Map<string, object>())
vi.mock('@/lib/stripe/server', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/stripe/server')>()
  const retrieve = async (id: string) => structuredClone(held.get(id))
  const client = {
    paymentIntents: { retrieve },
    subscriptions: { retrieve },
    invoices: { retrieve },
    checkout: { sessions: { retrieve } },
  }
  return { ...actual, askStripe: async (ask: (stripe: unknown) => unknown) => await ask(client) }
})

beforeAll(() => {
  Object.assign(process.env, stack().env, { LOG_LEVEL: 'silent' })
})
afterAll(() => closeDatabase())

type Told = { who: Subscriber; story: BillingStory; order: number[] }

const NOTHING_TWICE = 'paid 1, active 1, graces 0, undone 0'
const SUBSCRIBED = 'active, premium active, paid 1900, succeeded 1900 Premium sales -1900'
const ENDINGS = {
  'checkout (E4)': { make: checkingOut, ending: `${SUBSCRIBED}, checkout complete, ${NOTHING_TWICE}` },
  'first payment (E14)': { make: completing, ending: `${SUBSCRIBED}, checkout open, ${NOTHING_TWICE}` },
  'renewal (E15)': {
    make: (who: Subscriber) => renewing(who, 'paid'),
    ending:
      'active, premium active, paid 1900, succeeded 1900 Premium sales -1900, checkout open, paid 1, active 1, graces 0, undone 0',
  },
  'renewal that fails (E15)': {
    make: (who: Subscriber) => renewing(who, 'owed'),
    ending: `past_due, premium grace, open 1900 until ${FAILED_AT + 86_400}, checkout open, paid 0, graces 1, undone 0`,
  },
  'renewal that is paid late (E15)': {
    make: (who: Subscriber) => renewing(who, 'paid late'),
    ending: 'active, premium active, paid 1900, checkout open, paid 1, undone 0',
  },
  'cancellation (E16)': {
    make: cancelling,
    ending: 'canceled, paid 1900, checkout open, paid 1, undone 0',
  },
} as const

type Name = keyof typeof ENDINGS

/** Deliver events in this order. At each, Stripe holds no more than it must: the newest step an event has told of yet. */
async function tell({ story, order }: Told): Promise<void> {
  let step = 0
  for (const index of order) {
    const told = story.events[index]
    if (!told) throw new Error('there is no such event')
    step = Math.max(step, told.step)
    for (const [id, object] of story.states[step] ?? []) held.set(id, object)
    await applyEvent({ ...(await asTold(told.event)), verifiedWith: 'current', source: 'webhook' })
  }
}

async function tellAll(all: Told[]): Promise<void> {
  const waiting = [...all]
  const teller = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await tell(next)
  }
  await Promise.all(Array.from({ length: 8 }, teller))
}

/** What has become of each, in words. A step that was never heard of leaves no audit row: those are counted where all are. */
async function endings(name: Name, all: Told[]): Promise<string[]> {
  const rows = await adminSql()`
    select c.id, concat_ws(', ', s.status,
      (select e.tier || ' ' || e.state from private.entitlements(c.id, false) e),
      (select string_agg(i.status || ' ' || i.amount_due_minor
        || case when i.grace = 'running' then ' until ' || extract(epoch from i.grace_ends_at)::bigint else '' end, ' ')
        from public.invoices i where i.subscription_id = s.id and not (i.billing_reason = 'subscription_create'
          and exists (select from public.invoices n where n.subscription_id = s.id and n.id <> i.id))),
      (select string_agg(p.status || ' ' || p.amount_received_minor || ' ' || p.description || ' '
        || (select string_agg(e.account || ' ' || e.amount_minor, ' ') from private.ledger_transactions t
            join private.ledger_entries e on e.transaction_id = t.id and e.account = 'sales' where t.payment_id = p.id), ' ')
        from public.payments p where p.customer_id = c.id and p.status = 'succeeded'),
      'checkout ' || (select k.status from private.subscription_checkouts k where k.customer_id = c.id),
      'paid ' || (select count(*) from private.audit_log a join public.invoices i on a.subject_id = i.id::text
        where i.subscription_id = s.id and a.action = 'invoice.paid' and (i.billing_reason <> 'subscription_create'
          or not exists (select from public.invoices n where n.subscription_id = s.id and n.id <> i.id))),
      case when ${!/late|E16|fails/.test(name)} then 'active ' || (select count(*) from private.audit_log a
        where a.subject_id = s.id::text and a.action = 'subscription.active') end,
      case when ${!/late|E16/.test(name)} then 'graces ' || (select count(*) from private.audit_log a join public.invoices i on a.subject_id = i.id::text
        where i.subscription_id = s.id and a.action = 'grace.started') end,
      'undone ' || (select count(*) from private.audit_log a left join public.invoices i on a.subject_id = i.id::text
        where (i.subscription_id = s.id or a.subject_id = s.id::text) and a.detail ->> 'from' in ('paid', 'void', 'canceled'))
    ) as ending
    from public.customers c left join public.subscriptions s on s.customer_id = c.id
    where c.id = any (${all.map(({ who }) => who.customerId)}::uuid[])`
  const byId = new Map(rows.map((row) => [String(row.id), String(row.ending)]))
  return all.map(({ who }) => byId.get(who.customerId) ?? 'gone')
}

function permutations<Item>(items: Item[]): Item[][] {
  if (items.length < 2) return [items]
  return items.flatMap((item, index) =>
    permutations(items.toSpliced(index, 1)).map((others) => [item, ...others]),
  )
}

async function plans(name: Name, orders: number[][]): Promise<Told[]> {
  const subscribers = await manySubscribers(orders.length)
  return subscribers.map((who, n) => ({ who, story: ENDINGS[name].make(who), order: orders[n] ?? [] }))
}

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

describe('events of subscriptions in any order', () => {
  it.each<Name>([
    'renewal (E15)',
    'renewal that fails (E15)',
    'renewal that is paid late (E15)',
    'cancellation (E16)',
  ])('every order ends as Stripe has it: %s (W13, W14)', async (name) => {
    const [sample] = await plans(name, [[]])
    const orders = permutations([...(sample?.story.events.keys() ?? [])])
    const all = await plans(name, orders)

    await tellAll(all)

    expect(orders.length).toBe(name === 'cancellation (E16)' ? 24 : 120)
    expect(await endings(name, all)).toEqual(orders.map(() => ENDINGS[name].ending))
  })

  it.each<Name>(['checkout (E4)', 'first payment (E14)'])(
    'sampled orders with duplicates end as Stripe has it: %s (W13, W14)',
    async (name) => {
      console.info(`orders of ${name}, seed ${seed}`)
      const [sample] = await plans(name, [[]])
      const indexes = [...(sample?.story.events.keys() ?? [])]
      const order = fc
        .tuple(
          fc.shuffledSubarray(indexes, { minLength: indexes.length }),
          fc.array(fc.constantFrom(...indexes), { maxLength: 3 }),
        )
        .map(([whole, again]) => [...whole, ...again])
      const orders = fc.sample(order, { numRuns: inSoak(60, 3_000), seed })
      const all = await plans(name, orders)

      await tellAll(all)

      expect(await endings(name, all)).toEqual(orders.map(() => ENDINGS[name].ending))
    },
    inSoak(60_000, 900_000),
  )

  it.each([
    ['both owed', FAILED_AT - 600],
    ['older paid', FAILED_AT],
  ] as const)(
    'of two renewals that fail, the older one that is owed gives the day: %s (W13)',
    async (ending, since) => {
      const [sample] = await manySubscribers(1)
      const events = sample ? fallingBehind(sample, ending).events : []
      const orders = permutations([...events.keys()])
      const subscribers = await manySubscribers(orders.length)

      await tellAll(
        subscribers.map((who, n) => ({ who, story: fallingBehind(who, ending), order: orders[n] ?? [] })),
      )

      const access = await adminSql()`
      select e.state, extract(epoch from e.until)::int as until,
        (select count(*)::int from private.outbox o join public.invoices i on i.id::text = o.key
          where o.kind = 'grace_started' and i.customer_id = c.id and i.status = 'open' and i.grace_ends_at = e.until) as mails
      from public.customers c cross join lateral private.entitlements(c.id, false) e
      where c.id = any (${subscribers.map(({ customerId }) => customerId)}::uuid[])`
      expect(access).toEqual(orders.map(() => ({ state: 'grace', until: since + 86_400, mails: 1 })))
    },
  )

  it('whatever is lost, a look at the subscription brings its state and access in line (W13)', async () => {
    for (const name of ['first payment (E14)', 'renewal that fails (E15)', 'cancellation (E16)'] as const) {
      const [sample] = await plans(name, [[]])
      const indexes = [...(sample?.story.events.keys() ?? [])]
      const orders = fc.sample(fc.shuffledSubarray(indexes), { numRuns: 20, seed })
      const all = await plans(name, orders)

      await tellAll(all)
      for (const { who, story } of all) {
        for (const [id, object] of story.states.at(-1) ?? []) held.set(id, object)
        await syncObject({
          kind: 'subscription',
          id: who.subscription,
          expectedVersion: 0,
          source: 'reconcile',
        })
      }

      const [status, access] = ENDINGS[name].ending.split(', ')
      const ended = await endings(name, all)
      for (const ending of ended) {
        expect(ending.split(', ')[0]).toBe(status)
        if (name !== 'cancellation (E16)') expect(ending.split(', ')[1]).toBe(access)
        expect(ending).toContain('undone 0')
      }
    }
  })

  it('an answer from before the end that comes in after it undoes nothing (W14)', async () => {
    const [told] = await plans('cancellation (E16)', [[0, 1, 2, 3]])
    if (!told) throw new Error('nobody subscribes')
    await tell(told)

    for (const [id, object] of told.story.states[0] ?? []) held.set(id, object)
    await syncObject({ kind: 'subscription', id: told.who.subscription, expectedVersion: 1, source: 'sync' })

    expect(await endings('cancellation (E16)', [told])).toEqual([ENDINGS['cancellation (E16)'].ending])
  })

  it('all at once, twice each, do each thing once (W12, D4)', async () => {
    const all = await plans(
      'checkout (E4)',
      Array.from({ length: 6 }, () => []),
    )

    for (const { story } of all) {
      for (const [id, object] of story.states.at(-1) ?? []) held.set(id, object)
      for (let tries = 0; tries < 3; tries++) {
        await Promise.allSettled(
          [...story.events, ...story.events].map(async ({ event }) =>
            applyEvent({ ...(await asTold(event)), verifiedWith: 'current', source: 'webhook' }),
          ),
        )
      }
    }

    expect(await endings('checkout (E4)', all)).toEqual(all.map(() => ENDINGS['checkout (E4)'].ending))
  })
})
