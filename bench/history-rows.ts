/** Payments as the bench and the test of the plans make them, and a page of them as PostgREST asks for it after the app. */

export type Cursor = { createdAt: string; id: string }

/** Each state in the words of lib/payments/list-payments.ts and of its index. */
export const STATES: Readonly<Record<string, string>> = {
  all: '',
  paid: `and status = 'succeeded' and amount_refunded_minor = 0`,
  refunded: `and status = 'succeeded' and amount_refunded_minor > 0`,
  canceled: `and status = 'canceled'`,
}

export function pageQuery(where: string, after: Cursor | null): string {
  const keyset = after
    ? `and created_at <= '${after.createdAt}' and (created_at < '${after.createdAt}' or id < '${after.id}')`
    : ''
  return `select id, order_id, status, amount_minor, amount_received_minor, amount_refunded_minor, currency, description,
      card_brand, card_last4, failure_hint, created_at, paid_at,
      created_at::text as "createdAt"
    from public.payments where livemode = false ${where} ${keyset} order by created_at desc, id desc limit 21`
}

/**
 * Payments a second apart, numbered `first` to `last`, shared out by `customer`, an expression of n: every tenth canceled,
 * every twentieth refunded.
 */
export function makePayments(customer: string, first: number, last: number): string {
  return `insert into public.payments (customer_id, livemode, origin, status, amount_minor, amount_received_minor,
      amount_refunded_minor, currency, description, card_brand, card_last4, created_at, paid_at)
    select ${customer}, false, 'stripe', case when n / 10 % 10 = 0 then 'canceled' else 'succeeded' end, 1900, 1900,
      case when n / 10 % 20 = 1 then 400 else 0 end, 'eur', 'Subscription ' || n, 'visa', '4242',
      timestamptz '2020-01-01T00:00:00Z' + n * interval '1 second', timestamptz '2020-01-01T00:00:00Z'
    from generate_series(${first}, ${last}) n`
}
