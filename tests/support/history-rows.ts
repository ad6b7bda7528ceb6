import { adminSql } from './db'

type Rows = { userId: string; howMany: number; description?: string }

/** Payments without an order, one second apart, the newest last; every tenth canceled, every twentieth refunded. */
export async function manyPayments({ userId, howMany, description = 'Subscription' }: Rows): Promise<void> {
  const sql = adminSql()
  await sql`insert into public.customers (user_id) values (${userId}) on conflict do nothing`
  await sql`
    insert into public.payments (customer_id, livemode, origin, status, amount_minor, amount_received_minor,
      amount_refunded_minor, currency, description, card_brand, card_last4, created_at, paid_at)
    select c.id, false, 'stripe', case when n % 10 = 0 then 'canceled' else 'succeeded' end, 1900, 1900,
      case when n % 20 = 1 then 400 else 0 end, 'eur', ${description} || ' ' || n, 'visa', '4242',
      timestamptz '2026-01-01T00:00:00Z' + n * interval '1 second', timestamptz '2026-01-01T00:00:00Z'
    from public.customers c, generate_series(1, ${howMany}::int) n where c.user_id = ${userId}`
}
