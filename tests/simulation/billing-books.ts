import type postgres from 'postgres'

// What our database says of subscriptions, as books.ts does it for payments. Times are in seconds since 1970.

export type SubscriptionRow = {
  id: string
  customer_id: string | null
  plan_id: string | null
  stripe_id: string
  price_id: string | null
  status: string
  period_end: number | null
  cancel_at: number | null
  ended_at: number | null
  version: number
}
export type InvoiceRow = {
  id: string
  subscription_id: string | null
  stripe_id: string
  intent_id: string | null
  status: string
  amount_due_minor: number
  amount_paid_minor: number
  currency: string
  needs_action: boolean
  first_failed_at: number | null
  grace: 'running' | 'cleared' | 'ended' | null
  grace_ends_at: number | null
  version: number
}
export type CheckoutRow = { id: string; session_id: string | null; status: string }
export type CancellationRow = { subscription_id: string; is_done: boolean }
/** What a customer may use at the moment of reading. */
export type EntitlementRow = {
  customer_id: string
  subscription_id: string
  plan_id: string
  state: 'active' | 'grace'
  until: number | null
}

export type BillingBooks = {
  subscriptions: SubscriptionRow[]
  invoices: InvoiceRow[]
  checkouts: CheckoutRow[]
  cancellations: CancellationRow[]
  entitlements: EntitlementRow[]
  /** How often what a customer may use has changed. */
  versions: { customer_id: string; version: number }[]
  customers: { customer_id: string; user_id: string | null; stripe_id: string | null }[]
  prices: { stripe_id: string; plan_id: string }[]
  mails: { kind: string; key: string }[]
  readAt: number
}

const seconds = (column: string) => `extract(epoch from ${column})::float8 as ${column}`
const list = (rows: string) => `(select coalesce(json_agg(r), '[]') from (${rows}) r)`

const READ = `select json_build_object(
  'subscriptions', ${list(`select id, customer_id, plan_id, stripe_subscription_id as stripe_id, stripe_price_id as price_id, status,
    extract(epoch from current_period_end)::float8 as period_end, ${seconds('cancel_at')}, ${seconds('ended_at')}, version
    from public.subscriptions order by stripe_subscription_id`)},
  'invoices', ${list(`select id, subscription_id, stripe_invoice_id as stripe_id, stripe_payment_intent_id as intent_id, status,
    amount_due_minor, amount_paid_minor, currency, needs_action, ${seconds('first_failed_at')}, grace, ${seconds('grace_ends_at')}, version
    from public.invoices order by stripe_invoice_id`)},
  'checkouts', ${list('select id, stripe_session_id as session_id, status from private.subscription_checkouts')},
  'cancellations', ${list('select subscription_id, done_at is not null as is_done from private.subscription_cancellations where kept_at is null')},
  'entitlements', ${list(`select c.id as customer_id, e.subscription_id, e.plan_id, e.state, ${seconds('until')}
    from public.customers c cross join lateral private.entitlements(c.id, false) e`)},
  'versions', ${list('select customer_id, version from private.entitlement_versions')},
  'customers', ${list(`select c.id as customer_id, c.user_id, s.stripe_customer_id as stripe_id
    from public.customers c left join private.stripe_customers s on s.customer_id = c.id`)},
  'prices', ${list('select stripe_price_id as stripe_id, plan_id from private.stripe_prices')},
  'mails', ${list('select kind, key from private.outbox')},
  'readAt', extract(epoch from now())::float8
) as books`

export async function readBillingBooks(sql: postgres.Sql): Promise<BillingBooks> {
  const [row] = await sql.unsafe<[{ books: BillingBooks }]>(READ, [], { prepare: true })
  return row.books
}

/** As ageBooks() does it. */
export async function ageBillingBooks(sql: postgres.Sql, ms: number): Promise<void> {
  const by = `${ms} milliseconds`
  await sql`
    with subscriptions as (
      update public.subscriptions set began_at = began_at - ${by}::interval, created_at = created_at - ${by}::interval,
        current_period_end = current_period_end - ${by}::interval, cancel_at = cancel_at - ${by}::interval,
        ended_at = ended_at - ${by}::interval, updated_at = updated_at - ${by}::interval
    ), checkouts as (
      update private.subscription_checkouts set expires_at = expires_at - ${by}::interval,
        created_at = created_at - ${by}::interval, checked_at = checked_at - ${by}::interval
    ), cancellations as (
      update private.subscription_cancellations set decided_at = decided_at - ${by}::interval,
        tried_at = tried_at - ${by}::interval
    ), leases as (
      update private.job_leases set expires_at = expires_at - ${by}::interval
    ), events as (
      update private.webhook_events set stripe_created_at = stripe_created_at - ${by}::interval
    )
    update public.invoices set first_failed_at = first_failed_at - ${by}::interval,
      grace_ends_at = grace_ends_at - ${by}::interval, created_at = created_at - ${by}::interval`
}
