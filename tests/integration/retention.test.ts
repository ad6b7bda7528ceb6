import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes'
import { adminSql, callService } from '../support/db'
import { NOTEBOOK, newOrder, newUserRow, openedPayment } from '../support/payment-rows'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'

const { env, appOrigin, serverUrls } = stack()
const [server, second] = serverUrls as [string, string]

const retain = (at = server) =>
  fetch(`${at}/api/cron/retention`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.CRON_SECRET}` },
  })

const MINUTES_A_DAY = 24 * 60

/** A moment on one side of an age or the other, a minute away from it. */
function ago(days: number, side: 'younger' | 'older'): Date {
  return new Date(Date.now() - (days * MINUTES_A_DAY + (side === 'older' ? 1 : -1)) * 60_000)
}

const SIDES = ['younger', 'older'] as const

async function storedEvent(receivedAt: Date, status = 'ignored') {
  const event = eventOf('x.y', { object: 'x', id: randomUUID() })
  await postEvent(appOrigin, event, { secret: env.STRIPE_WEBHOOK_SECRET ?? '' })
  await adminSql()`
    update private.webhook_events set received_at = ${receivedAt}, status = ${status},
      next_attempt_at = now() + interval '1 hour' where event_id = ${event.id}`
  const payload = async () => {
    const [row] = await adminSql()`select payload from private.webhook_events where event_id = ${event.id}`
    return row?.payload === null ? 'gone' : 'there'
  }
  return { event, payload }
}

async function endedPayment(createdAt: Date, status = 'canceled') {
  const { paymentId, orderId, customerId } = await openedPayment()
  const charge = `ch_${randomUUID()}`
  await adminSql()`
    update public.payments set status = ${status}, created_at = ${createdAt}, address_hash = 'network' where id = ${paymentId}`
  await adminSql()`
    insert into private.payment_attempts (livemode, stripe_charge_id, payment_id, outcome, created_at, card_fingerprint_hash, address_hash)
    values (false, ${charge}, ${paymentId}, 'failed', ${createdAt}, 'card', 'network')`
  await adminSql()`
    insert into private.card_setups (customer_id, livemode, key, consent_text, consented_at, address_hash)
    values (${customerId}, false, 'key', 'I agree.', ${createdAt}, 'network')`
  await adminSql()`update private.idempotency_keys set created_at = ${createdAt} where payment_id = ${paymentId}`
  return { paymentId, orderId, customerId, charge }
}

describe('what is kept for a time only (D11)', () => {
  it('has the ages that docs/privacy.md says', async () => {
    const documented = readFileSync(path.join(root, 'docs/privacy.md'), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [, what, , age] = /^\| `(\w+)` \|([^|]+)\| (\d+ days) \|/.exec(line) ?? []
        return what && age ? [[what, age]] : []
      })

    const ages = await adminSql()`select what, age::text from private.retention_ages()`

    expect(ages.map(({ what, age }) => [what, age])).toEqual(documented)
  })

  it('goes at its age and not a minute before', async () => {
    const events = await Promise.all(SIDES.map((side) => storedEvent(ago(90, side))))
    const payments = await Promise.all(SIDES.map((side) => endedPayment(ago(30, side))))
    const orders = await Promise.all(SIDES.map((side) => unpaidOrder(ago(90, side))))
    const logs = await Promise.all(SIDES.map((side) => authLogEntry(ago(90, side))))
    const mails = await Promise.all(SIDES.map((side) => sentMail(ago(90, side))))
    const findings = await Promise.all(SIDES.map((side) => finding(ago(400, side))))

    const response = await retain()

    expect(response.status).toBe(200)
    expect(await Promise.all(events.map(({ payload }) => payload()))).toEqual(['there', 'gone'])
    const told = await adminSql()`
      select facts = '{}' as gone from private.outbox where id = any (${mails}) order by finished_at desc`
    expect(told.map(({ gone }) => gone)).toEqual([false, true])
    const left = (table: string, column: string, ids: string[]) =>
      Promise.all(
        ids.map(async (id) => {
          const rows = await adminSql()`select from ${adminSql()(table)} where ${adminSql()(column)} = ${id}`
          return rows.length
        }),
      )
    const ids = payments.map(({ paymentId }) => paymentId)
    expect(await left('private.idempotency_keys', 'payment_id', ids)).toEqual([1, 0])
    expect(await left('public.orders', 'id', orders)).toEqual([1, 0])
    expect(await left('public.order_lines', 'order_id', orders)).toEqual([1, 0])
    expect(await left('auth.audit_log_entries', 'id', logs)).toEqual([1, 0])
    expect(await left('private.reconcile_findings', 'subject', findings)).toEqual([1, 0])
    const networks = await adminSql()`
      select p.address_hash, a.address_hash as tried_from, a.card_fingerprint_hash as card, s.address_hash as saved_from
      from public.payments p join private.payment_attempts a on a.payment_id = p.id
      join private.card_setups s on s.customer_id = p.customer_id
      where p.id = any (${ids}) order by p.created_at desc`
    expect(networks).toEqual([
      { address_hash: 'network', tried_from: 'network', card: 'card', saved_from: 'network' },
      { address_hash: null, tried_from: null, card: null, saved_from: null },
    ])
    expect(await left('public.payments', 'id', ids)).toEqual([1, 1])
  })

  it('stays while it is needed: what is pending, open, from elsewhere or not dealt with', async () => {
    const pending = await storedEvent(ago(200, 'older'), 'pending')
    const open = await endedPayment(ago(200, 'older'), 'requires_action')
    const fromStaff = await unpaidOrder(ago(200, 'older'), 'staff')
    const unresolved = await finding(ago(500, 'older'), false)

    await retain()

    expect(await pending.payload()).toBe('there')
    const [left] = await adminSql()`
      select (select count(*)::int from private.idempotency_keys where payment_id = ${open.paymentId}) as keys,
        (select count(*)::int from public.orders where id in (${fromStaff}, ${open.orderId})) as orders,
        (select count(*)::int from private.reconcile_findings where subject = ${unresolved}) as findings`
    expect(left).toEqual({ keys: 1, orders: 2, findings: 1 })
    await adminSql()`delete from private.webhook_events where event_id = ${pending.event.id}`
    await adminSql()`update public.payments set status = 'canceled' where id = ${open.paymentId}`
  })

  it('is counted for as long as a limit looks back', async () => {
    const { paymentId } = await endedPayment(ago(40, 'younger'))
    const window = (days: number) => adminSql()`
      update private.payment_limits set window_seconds = ${days * 86_400} where rule = 'failures_address'`
    const network = async () => {
      const [row] = await adminSql()`select address_hash from public.payments where id = ${paymentId}`
      return row?.address_hash
    }

    try {
      await window(40)
      await retain()
      expect(await network()).toBe('network')
    } finally {
      await adminSql()`update private.payment_limits set window_seconds = 3600 where rule = 'failures_address'`
    }
    await retain()
    expect(await network()).toBeNull()
  })

  it('leaves what makes a repeat harmless (W22)', async () => {
    const { event, payload } = await storedEvent(ago(90, 'older'))
    const { orderId, paymentId, customerId } = await endedPayment(ago(30, 'older'), 'succeeded')
    await retain()

    const again = await postEvent(appOrigin, event, { secret: env.STRIPE_WEBHOOK_SECRET ?? '' })
    const [owner] = await adminSql()`select user_id from public.customers where id = ${customerId}`
    const second = callService('open_payment', {
      p_actor: owner?.user_id,
      p_livemode: false,
      p_order_id: orderId,
      p_key: paymentId,
      p_input_hash: 'hash',
      p_stripe_customer_id: 'cus_x',
    })

    await expect(second).rejects.toMatchObject({ code: '55000' })
    expect([again.status, await payload()]).toEqual([200, 'gone'])
  })

  it('ends an order before it removes it, and each leaves a row', async () => {
    const orderId = await unpaidOrder(ago(90, 'older'))

    await retain()

    const rows = await adminSql()`
      select action from private.audit_log where subject_id = ${orderId} and action <> 'order.created' order by id`
    expect(rows.map(({ action }) => action)).toEqual(['order.closing', 'order.expired', 'order.removed'])
  })

  it('is taken away by one run at a time, under its lease', async () => {
    const answers = await Promise.all([retain(), retain(second), retain(), retain(second)])
    const statuses = answers.map(({ status }) => status)
    const stranger = callService('retain', { p_what: 'event_payloads', p_fencing: 0, p_limit: 1 })

    expect(statuses.filter((status) => ![200, 409].includes(status))).toEqual([])
    expect(statuses).toContain(200)
    await expect(stranger).rejects.toMatchObject({ code: '55000' })
  })
})

let runId: string
beforeAll(async () => {
  const [run] = await adminSql()`
    insert into private.reconcile_runs (livemode, mode, fencing, since, outcome, finished_at)
    values (false, 'dry_run', 0, now(), 'clean', now()) returning id`
  runId = String(run?.id)
})

async function finding(foundAt: Date, resolved = true): Promise<string> {
  const subject = randomUUID()
  await adminSql()`
    insert into private.reconcile_findings (run_id, kind, object, subject, resolved, found_at)
    values (${runId}, 'status', 'payment_intent', ${subject}, ${resolved}, ${foundAt})`
  return subject
}

async function unpaidOrder(createdAt: Date, by = 'customer'): Promise<string> {
  const orderId = await newOrder(await newUserRow(), 1, NOTEBOOK.productId)
  await adminSql()`update public.orders set created_at = ${createdAt}, created_by = ${by} where id = ${orderId}`
  return orderId
}

async function sentMail(finishedAt: Date): Promise<string> {
  const { customerId } = await openedPayment()
  const [row] = await adminSql()`
    insert into private.outbox (livemode, kind, key, customer_id, facts, status, finished_at)
    values (false, 'receipt', ${randomUUID()}, ${customerId}, '{"last4": "4242"}', 'sent', ${finishedAt}) returning id`
  return String(row?.id)
}

async function authLogEntry(createdAt: Date): Promise<string> {
  const id = randomUUID()
  await adminSql()`insert into auth.audit_log_entries (id, payload, created_at, ip_address) values (${id}, '{}', ${createdAt}, '')`
  return id
}
