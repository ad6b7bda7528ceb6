import { randomUUID } from 'node:crypto'
import { adminSql, callService } from './db'

export type OpenedPayment = {
  userId: string
  customerId: string
  stripeCustomerId: string
  orderId: string
  paymentId: string
  intentId: string
  chargeId: string
  amountMinor: number
  currency: string
}

/** The notebook of the seed: 24.00 EUR. */
export const NOTEBOOK = {
  productId: '7a0e8f10-0000-4000-8000-000000000001',
  amountMinor: 2400,
  currency: 'eur',
}

/** A person who exists in the database only: for what needs an owner but no session. */
export async function newUserRow(): Promise<string> {
  const id = randomUUID()
  await adminSql()`insert into auth.users (id, email) values (${id}, ${`${id}@example.test`})`
  return id
}

export async function newOrder(
  userId: string,
  quantity = 1,
  productId = NOTEBOOK.productId,
): Promise<string> {
  const { id } = await callService<{ id: string }>('create_order', {
    p_actor: userId,
    p_livemode: false,
    p_product_id: productId,
    p_quantity: quantity,
  })
  return id
}

/**
 * A payment as it is when Stripe's answer to our create has not been linked yet: row and request are there. Its Stripe ids
 * are made up, so only what needs no fetch can happen to it.
 */
export async function openedPayment(): Promise<OpenedPayment> {
  const userId = await newUserRow()
  const orderId = await newOrder(userId)
  const suffix = randomUUID().replaceAll('-', '')
  const { customerId } = await callService<{ customerId: string }>('claim_stripe_customer', {
    p_actor: userId,
    p_livemode: false,
  })
  const stripeCustomerId = await callService<string>('link_stripe_customer', {
    p_customer_id: customerId,
    p_livemode: false,
    p_stripe_customer_id: `cus_${suffix}`,
  })
  const payment = await callService<{ id: string }>('open_payment', {
    p_actor: userId,
    p_livemode: false,
    p_order_id: orderId,
    p_key: suffix,
    p_input_hash: 'hash',
    p_stripe_customer_id: stripeCustomerId,
  })
  return {
    userId,
    customerId,
    stripeCustomerId,
    orderId,
    paymentId: payment.id,
    intentId: `pi_${suffix}`,
    chargeId: `ch_${suffix}`,
    amountMinor: NOTEBOOK.amountMinor,
    currency: NOTEBOOK.currency,
  }
}

/** The next sweep looks at none of them: what earlier tests have left open would use up its time on a slow machine. */
export async function setOpenPaymentsAside(): Promise<void> {
  // One that a late webhook is about is passed over: two who wait for each other's rows would be a deadlock.
  await adminSql()`update public.payments set checked_at = now() where id in (
    select id from public.payments where status not in ('succeeded', 'canceled') for update skip locked)`
}

/** What has become of a payment: everything a doubled or lost event would show in. */
export async function effectsOn(payment: OpenedPayment) {
  const [row] = await adminSql()`
    select p.status, p.amount_received_minor::int as received, p.card_last4, p.review_reason, o.status as order_status,
      (select count(*)::int from private.ledger_transactions t where t.payment_id = p.id) as postings,
      (select coalesce(sum(e.amount_minor), 0)::int from private.ledger_entries e
        join private.ledger_transactions t on t.id = e.transaction_id
        where t.payment_id = p.id and e.account = 'stripe_clearing') as cleared,
      (select count(*)::int from private.audit_log a
        where a.subject_id = p.id::text and a.action = 'payment.succeeded') as succeeded_rows,
      (select count(*)::int from private.audit_log a
        where a.subject_id = o.id::text and a.action = 'order.paid') as paid_rows
    from public.payments p left join public.orders o on o.id = p.order_id where p.id = ${payment.paymentId}`
  return row
}

export const PAID_ONCE = {
  status: 'succeeded',
  received: 2400,
  order_status: 'paid',
  postings: 1,
  cleared: 2400,
  succeeded_rows: 1,
  paid_rows: 1,
}
