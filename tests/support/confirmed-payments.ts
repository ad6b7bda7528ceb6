import { expect } from 'vitest'
import { adminSql } from './db'
import { until } from './paid'
import { newOrder } from './payment-rows'
import { newPerson, type Person } from './people'
import { startPayment } from './requests'
import { stack } from './stack-in-test'
import { stripeSdk } from './stripe-sdk'

/** The name that reconciliation holds its lease by in these tests. */
export const RECONCILE_LEASE = 'reconcile_test'

/** Whoever holds the lease loses it. */
export const noLeaseHeld = () =>
  adminSql()`update private.job_leases set expires_at = now() where name = ${RECONCILE_LEASE}`

export type Confirmed = { paymentId: string; orderId: string; intentId: string }

/** Opened in our app and paid at Stripe; nobody waits for our side to hear of it. */
export async function confirmed(person: Person, card = 'pm_card_visa'): Promise<Confirmed> {
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

export async function manyConfirmed(howMany: number, card?: string): Promise<Confirmed[]> {
  const payments: Confirmed[] = []
  // Ten new payments a minute is what one person may open.
  for (let person = await newPerson(); payments.length < howMany; person = await newPerson()) {
    for (let n = 0; n < 8 && payments.length < howMany; n++) payments.push(await confirmed(person, card))
  }
  return payments
}

/** A refund at Stripe, of which Stripe has told all there is to tell. */
export async function refundThatEnds(intentId: string, amount: number): Promise<string> {
  const { id } = await stripeSdk().refunds.create({ payment_intent: intentId, amount })
  await until(async () => {
    const told = await stripeSdk().events.list({ type: 'refund.updated', limit: 100 })
    return told.data.some(({ data }) => 'id' in data.object && data.object.id === id)
  })
  return id
}

/** What has become of each: one line a payment, so that a doubled or lost effect shows. */
export async function effectsOf(payments: Confirmed[]) {
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

/** Paid, settled, and nothing more. */
export const PAID = {
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
