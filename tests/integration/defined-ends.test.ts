import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { confirm, started, statusOf } from '../support/limits'
import { ledgerOf, newStaff, paid, until } from '../support/paid'
import { effectsOn, type OpenedPayment, openedPayment, PAID_ONCE } from '../support/payment-rows'
import { newPerson } from '../support/people'
import { post, refund } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'

const { serverUrls, env, localSecret } = stack()
const [first, second] = serverUrls as [string, string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

/** What banks do, and what somebody does in the dashboard. */
const atBank = async (path: string, body: object = {}) => {
  const answer = await fetch(`${env.STRIPE_API_BASE}/_local${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${localSecret}` },
    body: JSON.stringify(body),
  })
  expect(answer.status, path).toBe(200)
}
const orderStatus = async (orderId: string) => {
  const [row] = await adminSql()`select status from public.orders where id = ${orderId}`
  return String(row?.status)
}

type Said = [status: string, more?: Record<string, unknown>]

/** Stripe's answers one after the other, for states that the local Stripe has no payment method for. */
async function goes(payment: OpenedPayment, statuses: Said[]) {
  for (const [status, more] of statuses) {
    const [row] =
      await adminSql()`select version::int as version, stripe_payment_intent_id as intent from public.payments where id = ${payment.paymentId}`
    await callService('apply_snapshot', {
      p_livemode: false,
      p_object: intentOf(payment, status, more),
      p_expected_version: row?.version,
      p_event_id: null,
      p_source: 'sync',
    })
  }
  const [row] = await adminSql()`
    select p.status, p.failure_hint as hint, o.status as order_status from public.payments p join public.orders o on o.id = p.order_id
    where p.id = ${payment.paymentId}`
  return row
}
const REFUSED = { last_payment_error: { code: 'payment_intent_authentication_failure' } }
const DECLINED = { last_payment_error: { code: 'card_declined', decline_code: 'insufficient_funds' } }

describe('a payment', () => {
  it.each<[string, Said[], object]>([
    [
      'that waits for its customer',
      [['requires_action']],
      { status: 'requires_action', order_status: 'open' },
    ],
    [
      'whose bank says yes',
      [['requires_action'], ['succeeded']],
      { status: 'succeeded', order_status: 'paid' },
    ],
    [
      'whose bank says no can be paid another way',
      [['requires_action'], ['requires_payment_method', REFUSED]],
      { status: 'requires_payment_method', order_status: 'open', hint: 'authentication_failed' },
    ],
    ['that takes days', [['processing']], { status: 'processing', order_status: 'open' }],
    [
      'that took days and arrived',
      [['processing'], ['succeeded']],
      { status: 'succeeded', order_status: 'paid' },
    ],
    [
      'that took days and failed can be paid another way',
      [['processing'], ['requires_payment_method', DECLINED]],
      { status: 'requires_payment_method', order_status: 'open', hint: 'insufficient_funds' },
    ],
    [
      'that is held and let go',
      [['requires_capture'], ['canceled']],
      { status: 'canceled', order_status: 'open' },
    ],
    [
      'that expires',
      [['requires_payment_method'], ['canceled']],
      { status: 'canceled', order_status: 'open' },
    ],
    [
      'that succeeded stays so, whatever is said later',
      [['succeeded'], ['processing'], ['requires_payment_method', DECLINED]],
      { status: 'succeeded', order_status: 'paid' },
    ],
  ])('%s (I13)', async (_what, statuses, end) => {
    expect(await goes(await openedPayment(), statuses)).toMatchObject(end)
  })

  it('with a real challenge waits for the customer, in our rows as well (I13)', async () => {
    const { paymentId, intentId, orderId } = await started(await newPerson())

    expect(await confirm(intentId, 'pm_card_threeDSecure2Required')).toBe('requires_action')

    await until(async () => (await statusOf(paymentId)) === 'requires_action')
    await stripeSdk().paymentIntents.cancel(intentId, { cancellation_reason: 'abandoned' })
    await until(async () => (await statusOf(paymentId)) === 'canceled')
    expect(await orderStatus(orderId)).toBe('open')
  })

  it('whose card is declined is paid with another one, in the same PaymentIntent (I13)', async () => {
    const person = await newPerson()
    const { paymentId, intentId, orderId } = await started(person)

    const tries = [
      await confirm(intentId, 'pm_card_visa_chargeDeclinedInsufficientFunds'),
      await confirm(intentId, 'pm_card_visa'),
    ]

    expect(tries).toEqual(['card_declined', 'succeeded'])
    await until(async () => (await orderStatus(orderId)) === 'paid')
    await until(async () => (await ledgerOf(paymentId)).stripe_clearing_eur === 0)
    const payments = () => adminSql()`
      select p.status, p.stripe_payment_intent_id as intent, (select count(*)::int from private.payment_attempts a
        where a.payment_id = p.id and a.outcome = 'failed') as declines
      from public.payments p where p.order_id = ${orderId}`
    // The news of the decline may come after those of the success.
    await until(async () => (await payments())[0]?.declines === 1)
    expect(await payments()).toEqual([{ status: 'succeeded', intent: intentId, declines: 1 }])
  })

  it('that was made elsewhere for somebody we know is theirs, without an order', async () => {
    const { person, intentId } = await paid()
    const { customer } = await stripeSdk().paymentIntents.retrieve(intentId)
    const foreign = await stripeSdk().paymentIntents.create({
      amount: 700,
      currency: 'eur',
      customer: String(customer),
      payment_method: 'pm_card_visa',
      confirm: true,
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    })

    const known = async () => {
      const [row] = await adminSql()`
        select p.origin, p.status, p.order_id, c.user_id from public.payments p join public.customers c on c.id = p.customer_id
        where p.stripe_payment_intent_id = ${foreign.id}`
      return row
    }
    await until(async () => (await known())?.status === 'succeeded')

    expect(await known()).toEqual({
      origin: 'stripe',
      status: 'succeeded',
      order_id: null,
      user_id: person.id,
    })
  })

  it('is not made by opening its result page, whatever the address claims (I11)', async () => {
    const [ada, bob] = await Promise.all([newPerson(), newPerson()])
    const { paymentId, intentId, orderId } = await started(ada)
    const claims = `?redirect_status=succeeded&payment_intent=${intentId}`
    const open = (id: string, cookie: string) =>
      fetch(`${first}/payments/${id}/result${claims}`, { headers: { cookie }, redirect: 'manual' })

    const pages = [await open(paymentId, ada.cookie), await open(paymentId, bob.cookie)]
    const unknown = await open(randomUUID(), bob.cookie)
    const asked = [
      await post(`/api/payments/${paymentId}/sync`, ada, {}),
      await post(`/api/payments/${paymentId}/sync`, bob, {}, { server: second }),
    ]

    expect(pages.map(({ status }) => status)).toEqual([200, 404])
    expect(unknown.status).toBe(404)
    expect(asked.map(({ status }) => status)).toEqual([200, 404])
    expect([await statusOf(paymentId), await orderStatus(orderId)]).toEqual([
      'requires_payment_method',
      'open',
    ])
    const [effects] =
      await adminSql()`select count(*)::int as n from private.ledger_transactions where payment_id = ${paymentId}`
    expect(effects?.n).toBe(0)
  })
})

describe('what cannot be, and is', () => {
  const tell = (type: string, payment: OpenedPayment, status: string) =>
    postEvent(first, eventOf(type, intentOf(payment, status)), { secret })
  const impossible = async ({ paymentId }: OpenedPayment) =>
    (await adminSql()`select kind, detail from private.alerts where subject_id = ${paymentId}`).map(
      ({ kind, detail }) => ({
        kind,
        ...detail,
      }),
    )

  it('a cancel after the money changes nothing, and is kept as an anomaly', async () => {
    const payment = await openedPayment()
    await tell('payment_intent.succeeded', payment, 'succeeded')

    const statuses = [
      (await tell('payment_intent.canceled', payment, 'canceled')).status,
      (await tell('payment_intent.canceled', payment, 'canceled')).status,
    ]

    expect(statuses).toEqual([200, 200])
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
    expect(await impossible(payment)).toEqual([
      { kind: 'impossible_status', had: 'succeeded', said: 'canceled' },
    ])
    const events =
      await adminSql()`select type, status from private.webhook_events where object_id = ${payment.intentId} order by received_at`
    expect(events.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'payment_intent.succeeded processed',
      'payment_intent.canceled processed',
      'payment_intent.canceled processed',
    ])
  })

  it('money after a cancel is booked, pays the order, and is kept as an anomaly', async () => {
    const payment = await openedPayment()
    await tell('payment_intent.canceled', payment, 'canceled')

    const answer = await tell('payment_intent.succeeded', payment, 'succeeded')

    expect(answer.status).toBe(200)
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
    expect(await impossible(payment)).toEqual([
      { kind: 'impossible_status', had: 'canceled', said: 'succeeded' },
    ])
  })
})

describe('what banks do', () => {
  const disputeOf = async (paymentId: string) => {
    const [row] = await adminSql()`
      select status, stripe_dispute_id as id, extract(epoch from due_by)::int as due, reason from public.disputes where payment_id = ${paymentId}`
    return row
  }
  const asked = { reason: 'requested_by_customer', amountMinor: 100 } as const

  it('an early warning of fraud is kept with its payment and shown to staff, and follows what Stripe says of it', async () => {
    const { paymentId, intentId } = await paid({ card: 'pm_card_createIssuerFraudRecord' })
    const warning = async () => {
      const [row] = await adminSql()`
        select w.stripe_warning_id as id, w.fraud_type, w.actionable,
          (select count(*)::int from private.alerts a where a.kind = 'early_fraud_warning' and a.subject_id = w.stripe_warning_id) as alerts
        from private.early_fraud_warnings w where w.payment_id = ${paymentId}`
      return row
    }

    await until(async () => (await warning()) !== undefined)

    expect(await warning()).toMatchObject({ actionable: true, alerts: 1, fraud_type: expect.any(String) })
    // Refunded whole, there is nothing left to act on.
    await stripeSdk().refunds.create({ payment_intent: intentId })
    await until(async () => (await warning())?.actionable === false)
    expect((await warning())?.alerts).toBe(1)
  })

  it('an inquiry takes nothing and can be answered with a refund; once it escalates the money is gone and no refund goes out', async () => {
    const { paymentId } = await paid()
    const support = await newStaff('support')
    const [row] =
      await adminSql()`select stripe_payment_intent_id as intent from public.payments where id = ${paymentId}`
    await atBank(`/charges/${row?.intent}/dispute`, { inquiry: true, amount: 2000 })
    await until(async () => (await disputeOf(paymentId))?.status === 'warning_needs_response')

    const during = await refund(support, paymentId, asked)
    await atBank(`/disputes/${(await disputeOf(paymentId))?.id}/escalate`)
    await until(async () => (await disputeOf(paymentId))?.status === 'needs_response')
    await until(async () => (await ledgerOf(paymentId)).disputes_eur === 2000)
    const after = await refund(support, paymentId, asked)

    expect([during.status, after.status]).toEqual([201, 409])
    expect(await after.json()).toMatchObject({ error: { code: 'not_refundable' } })
    const known = await disputeOf(paymentId)
    const there = await stripeSdk().disputes.retrieve(String(known?.id))
    expect(known).toMatchObject({ due: there.evidence_details.due_by, reason: there.reason })
    await until(async () => (await ledgerOf(paymentId)).stripe_clearing_eur === 0)
  })
})
