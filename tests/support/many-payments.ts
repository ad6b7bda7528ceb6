import { randomUUID } from 'node:crypto'
import { adminSql } from './db'
import { NOTEBOOK, type OpenedPayment } from './payment-rows'

/** Many of what openedPayment() makes one of, each of somebody new; written straight into the tables. */
export async function manyOpenedPayments(howMany: number): Promise<OpenedPayment[]> {
  const payments = Array.from({ length: howMany }, (): OpenedPayment => {
    const suffix = randomUUID().replaceAll('-', '')
    return {
      userId: randomUUID(),
      customerId: randomUUID(),
      stripeCustomerId: `cus_${suffix}`,
      orderId: randomUUID(),
      paymentId: randomUUID(),
      intentId: `pi_${suffix}`,
      chargeId: `ch_${suffix}`,
      amountMinor: NOTEBOOK.amountMinor,
      currency: NOTEBOOK.currency,
    }
  })
  await adminSql().begin(async (sql) => {
    const rows = sql`select * from jsonb_to_recordset(${sql.json(payments)}) as p ("userId" uuid, "customerId" uuid,
      "stripeCustomerId" text, "orderId" uuid, "paymentId" uuid, "intentId" text, "amountMinor" bigint, currency text)`
    await sql`insert into auth.users (id, email) select "userId", "userId" || '@example.test' from (${rows}) r`
    await sql`insert into public.customers (id, user_id) select "customerId", "userId" from (${rows}) r`
    await sql`insert into private.stripe_customers (customer_id, livemode, stripe_customer_id)
      select "customerId", false, "stripeCustomerId" from (${rows}) r`
    await sql`insert into public.orders (id, customer_id, reference, livemode, total_minor, currency)
      select "orderId", "customerId", 'T-' || "orderId", false, "amountMinor", currency from (${rows}) r`
    await sql`insert into public.payments (id, customer_id, order_id, livemode, origin, status, amount_minor, currency, stripe_request)
      select "paymentId", "customerId", "orderId", false, 'app', 'creating', "amountMinor", currency,
        jsonb_build_object('amount', "amountMinor", 'currency', currency, 'customer', "stripeCustomerId", 'description', '',
          'automatic_payment_methods', jsonb_build_object('enabled', true),
          'metadata', jsonb_build_object('payment_id', "paymentId", 'order_id', "orderId")) from (${rows}) r`
  })
  return payments
}
