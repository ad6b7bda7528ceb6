import { beforeAll, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { whileLocked } from '../support/locked-payments'
import { manyOpenedPayments } from '../support/many-payments'
import { until } from '../support/paid'
import { effectsOn, type OpenedPayment, openedPayment, PAID_ONCE } from '../support/payment-rows'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'
import { untilStripeHasToldAll } from '../support/stripe-silence'

const { serverUrls, env } = stack()
const [first, second] = serverUrls as [string, string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

const succeeded = (payment: OpenedPayment, more = {}) =>
  eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded', more))
const send = async (event: { id: string }, server = first) =>
  (await postEvent(server, event, { secret })).status
const kept = async (id: string) => {
  const [row] = await adminSql()`
    select status, attempts, last_error from private.webhook_events where event_id = ${id}`
  return row
}
const alertsOf = async (id: string) =>
  (await adminSql()`select kind from private.alerts where subject_id = ${id}`).map(({ kind }) => kind)

/** Whatever changes one of these payments does this instead. */
async function whileChanging<Result>(
  payments: OpenedPayment[],
  does: string,
  act: () => Promise<Result>,
): Promise<Result> {
  const ids = payments.map(({ paymentId }) => `'${paymentId}'`).join(', ')
  const name = `test_${payments[0]?.paymentId.replaceAll('-', '')}`
  await adminSql().unsafe(`
    create function private.${name}() returns trigger language plpgsql as $$ begin ${does}; return new; end $$;
    grant execute on function private.${name}() to payments_owner;
    create trigger ${name} before update on public.payments for each row when (old.id in (${ids})) execute function private.${name}()`)
  try {
    return await act()
  } finally {
    await adminSql().unsafe(`drop trigger ${name} on public.payments; drop function private.${name}()`)
  }
}
const OUT_OF_TIME = "raise exception 'too slow' using errcode = 'query_canceled'"

/** For the inbox, half an hour goes by. */
const halfAnHourPasses = () => adminSql()`
  update private.webhook_events set processed_at = processed_at - interval '31 minutes', timed_out_at = timed_out_at - interval '31 minutes',
    weighed_at = weighed_at - interval '31 minutes'`

describe.concurrent('events that cannot be applied', () => {
  it('one that always fails is parked after eight tries with an alert, and a hundred others pass it by (W17)', async () => {
    const payments = await manyOpenedPayments(101)
    const [bad, ...good] = payments as [OpenedPayment, ...OpenedPayment[]]
    const poison = succeeded(bad, { amount_received: 'poison' })
    const poisonStatuses: number[] = []
    const statuses: number[] = []

    for (let n = 0; n < good.length; n += 10) {
      const batch = good
        .slice(n, n + 10)
        .map((payment, i) => send(succeeded(payment), i % 2 ? first : second))
      poisonStatuses.push(await send(poison, second))
      statuses.push(...(await Promise.all(batch)))
    }

    expect(statuses).toEqual(Array(100).fill(200))
    const effects = await Promise.all(good.map((payment) => effectsOn(payment)))
    expect(effects.filter((effect) => effect?.postings !== 1 || effect.paid_rows !== 1)).toEqual([])
    expect(poisonStatuses).toEqual([...Array(7).fill(503), 200, 200, 200])
    expect(await kept(poison.id)).toMatchObject({ status: 'parked', attempts: 8 })
    expect(await alertsOf(poison.id)).toEqual(['event_parked'])
    expect(await effectsOn(bad)).toMatchObject({ status: 'creating', postings: 0 })
  })

  it('one whose payment somebody has locked is answered 503 in time, and has one effect once it is free (W21)', async () => {
    const [locked, free] = [await openedPayment(), await openedPayment()]
    const event = succeeded(locked)
    const answers: { status: number; ms: number }[] = []

    const meanwhile = await whileLocked([locked], async () => {
      // Some three seconds each.
      for (const server of [first, second, first, second, first]) {
        const asked = Date.now()
        answers.push({ status: await send(event, server), ms: Date.now() - asked })
      }
      return { status: await send(succeeded(free)), effects: await effectsOn(free) }
    })

    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503])
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(10_000)
    expect(meanwhile).toMatchObject({ status: 200, effects: PAID_ONCE })
    expect([await send(event), await send(event, second)]).toEqual([200, 200])
    expect(await effectsOn(locked)).toMatchObject(PAID_ONCE)
  })
})

describe('events that run out of time', () => {
  // They are weighed against what is applied meanwhile: nothing may be that earlier tests have left on its way.
  beforeAll(untilStripeHasToldAll)

  it('one is kept, and applied when there is time', async () => {
    const payment = await openedPayment()
    const event = succeeded(payment)
    const answers: { status: number; ms: number }[] = []

    await whileChanging([payment], 'perform pg_sleep(30)', () =>
      // The database gives up half a second before we do: where a machine is held up for longer, Stripe's next delivery is kept.
      until(async () => {
        const asked = Date.now()
        answers.push({ status: await send(event), ms: Date.now() - asked })
        return (await kept(event.id)) !== undefined
      }),
    )

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 503))
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(10_000)
    expect(await kept(event.id)).toMatchObject({ status: 'pending', attempts: 0, last_error: '57014' })
    expect(await send(event)).toBe(200)
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })

  it('one that always does is parked in the end, while the others are applied', async () => {
    const payment = await openedPayment()
    const event = succeeded(payment)
    const attempts: unknown[] = []

    await whileChanging([payment], OUT_OF_TIME, async () => {
      for (let tries = 0; tries < 9; tries++) {
        await halfAnHourPasses()
        expect(await send(succeeded(await openedPayment()))).toBe(200)
        // Several deliveries within a few minutes are one try.
        await send(event)
        attempts.push((await send(event, second)) === 200 ? 'parked' : (await kept(event.id))?.attempts)
      }
    })

    expect(attempts).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 'parked'])
    expect(await kept(event.id)).toMatchObject({ status: 'parked', attempts: 8, last_error: '57014' })
    expect(await alertsOf(event.id)).toEqual(['event_parked'])
    expect(await effectsOn(payment)).toMatchObject({ status: 'creating', postings: 0 })
  })

  it('a database that is slow for everybody parks none of them, however long it lasts', async () => {
    const payments = await manyOpenedPayments(6)
    const events = payments.map((payment) => succeeded(payment))

    await whileChanging(payments, OUT_OF_TIME, async () => {
      for (let tries = 0; tries < 10; tries++) {
        await halfAnHourPasses()
        // Some get through even then.
        if (tries % 2) for (let n = 0; n < 3; n++) await send(succeeded(await openedPayment()))
        const statuses = await Promise.all(events.map((event, n) => send(event, n % 2 ? first : second)))
        expect(statuses).toEqual(events.map(() => 503))
      }
    })

    for (const event of events) expect(await kept(event.id)).toMatchObject({ status: 'pending', attempts: 0 })
    expect(await Promise.all(events.map((event) => send(event)))).toEqual(events.map(() => 200))
    for (const payment of payments) expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })
})

describe('the inbox', () => {
  it('knows an event again after 29 days (W22)', async () => {
    const payment = await openedPayment()
    const event = succeeded(payment)
    await send(event)
    await adminSql()`update private.webhook_events set received_at = received_at - interval '29 days',
      processed_at = processed_at - interval '29 days', stripe_created_at = stripe_created_at - interval '29 days'
      where event_id = ${event.id}`
    const audited = () =>
      adminSql()`select count(*)::int as n from private.audit_log where subject_id = ${payment.paymentId}`
    const before = await audited()

    const statuses = [await send(event), await send(event, second)]

    expect(statuses).toEqual([200, 200])
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
    expect(await audited()).toEqual(before)
    expect(await kept(event.id)).toMatchObject({ status: 'processed', attempts: 1 })
  })

  it('is emptied by nobody: no role of the app may delete from it, and no function does (W22)', async () => {
    const may = await adminSql()`
      select r.rolname from pg_roles r where r.rolname in ('payments_service', 'payments_owner', 'anon', 'authenticated', 'service_role')
        and (has_table_privilege(r.oid, 'private.webhook_events', 'delete') or has_table_privilege(r.oid, 'private.webhook_events', 'truncate'))`
    const does = await adminSql()`
      select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('private', 'service', 'public') and p.prosrc ~* '(delete\\s+from|truncate)\\s+(private\\.)?webhook_events'`

    expect(may).toEqual([])
    expect(does).toEqual([])
  })
})
