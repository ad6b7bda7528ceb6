import type postgres from 'postgres'
import type { BillingBooks } from './billing-books'
import type { Limits } from './plan'

// What our database says, read as its owner after every step. A schedule has the database to itself.

export type PaymentRow = {
  id: string
  order_id: string | null
  origin: 'app' | 'stripe'
  status: string
  amount_minor: number
  amount_received_minor: number
  amount_refunded_minor: number
  currency: string
  intent_id: string | null
  review_reason: string | null
  version: number
}
export type OrderRow = {
  id: string
  status: string
  total_minor: number
  currency: string
  paid_by_payment_id: string | null
}
export type RefundRow = {
  payment_id: string
  request_id: string | null
  stripe_refund_id: string
  status: string
  amount_minor: number
}
export type RequestRow = {
  id: string
  payment_id: string
  amount_minor: number
  status: 'reserved' | 'made' | 'refused'
  requested_by: string | null
}
export type DisputeRow = {
  payment_id: string
  stripe_dispute_id: string
  status: string
  amount_minor: number
}
export type LedgerRow = {
  transaction_id: string
  payment_id: string
  stripe_object_id: string
  movement: string
  account: string | null
  amount_minor: number | null
  currency: string | null
}
export type AuditRow = {
  id: number
  action: string
  subject_type: string
  subject_id: string
  detail: { from?: string | null; refund_id?: string; dispute_id?: string }
}
export type EventRow = { event_id: string; status: string; last_error: string | null; attempts: number }

export type PaymentBooks = {
  payments: PaymentRow[]
  orders: OrderRow[]
  refunds: RefundRow[]
  requests: RequestRow[]
  disputes: DisputeRow[]
  ledger: LedgerRow[]
  audit: AuditRow[]
  events: EventRow[]
  /** What was decided about payments and could be done now. While a bank is at work, Stripe takes no such request. */
  openDecisions: number
}

export type Books = PaymentBooks & {
  /** Null in a world without subscriptions. */
  billing: BillingBooks | null
  /** How much time had gone by in the story. */
  passedSeconds: number
}

const list = (rows: string) => `(select coalesce(json_agg(r), '[]') from (${rows}) r)`

const READ = `select json_build_object(
  'payments', ${list(`select id, order_id, origin, status, amount_minor, amount_received_minor, amount_refunded_minor, currency,
    stripe_payment_intent_id as intent_id, review_reason, version from public.payments order by created_at, id`)},
  'orders', ${list('select id, status, total_minor, currency, paid_by_payment_id from public.orders order by created_at, id')},
  'refunds', ${list('select payment_id, request_id, stripe_refund_id, status, amount_minor from public.refunds')},
  'requests', ${list('select id, payment_id, amount_minor, status, requested_by from private.refund_requests order by created_at, id')},
  'disputes', ${list('select payment_id, stripe_dispute_id, status, amount_minor from public.disputes')},
  'ledger', ${list(`select t.id as transaction_id, t.payment_id, t.stripe_object_id, t.movement, e.account, e.amount_minor, e.currency
    from private.ledger_transactions t left join private.ledger_entries e on e.transaction_id = t.id`)},
  'audit', ${list('select id, action, subject_type, subject_id, detail from private.audit_log order by id')},
  'events', ${list('select event_id, status, last_error, attempts from private.webhook_events')},
  'openDecisions', (select count(*) from private.payment_decisions d join public.payments p on p.id = d.payment_id
    where d.done_at is null and p.status not in ('succeeded', 'canceled', 'processing'))
) as books`

export async function readBooks(sql: postgres.Sql): Promise<PaymentBooks> {
  const [row] = await sql.unsafe<[{ books: PaymentBooks }]>(READ, [], { prepare: true })
  return row.books
}

const KEPT = ['auth.users', 'private.staff', 'public.products', 'public.plans']
const TABLES = `select format('%I.%I', schemaname, tablename) as name from pg_catalog.pg_tables where schemaname in ('public', 'private')`

/** Forget the last schedule. Only a superuser can: audit and ledger rows are there for ever. */
export async function emptyBooks(sql: postgres.Sql): Promise<void> {
  const tables = (await sql.unsafe(TABLES))
    .map(({ name }) => String(name))
    .filter((name) => !KEPT.includes(name))
  await sql.unsafe(
    `set session_replication_role = replica; ${tables.map((name) => `delete from ${name};`).join(' ')} set session_replication_role = default`,
  )
}

const LIMITS: Record<Limits, string> = {
  none: '',
  'few declines': `insert into private.payment_limits (rule, value, window_seconds) values ('failures_payment', 1, 3600)`,
  'a country': `insert into private.payment_limits (rule, countries) values ('countries_denied', '{DE}'), ('countries_allowed', '{}')`,
}

export async function setLimits(sql: postgres.Sql, limits: Limits): Promise<void> {
  await sql.unsafe(LIMITS[limits])
}

/** Time goes by: everything that our code compares with the clock is that much older. */
export async function ageBooks(sql: postgres.Sql, ms: number): Promise<void> {
  const by = `${ms} milliseconds`
  await sql`
    with payments as (
      update public.payments set attempted_at = attempted_at - ${by}::interval, created_at = created_at - ${by}::interval,
        checked_at = checked_at - ${by}::interval, updated_at = updated_at - ${by}::interval
    ), requests as (
      update private.refund_requests set attempted_at = attempted_at - ${by}::interval,
        created_at = created_at - ${by}::interval, checked_at = checked_at - ${by}::interval
    ), events as (
      update private.webhook_events set next_attempt_at = next_attempt_at - ${by}::interval,
        received_at = received_at - ${by}::interval
    ), attempts as (
      update private.payment_attempts set created_at = created_at - ${by}::interval
    ), decisions as (
      update private.payment_decisions set tried_at = tried_at - ${by}::interval,
        decided_at = decided_at - ${by}::interval
    )
    update public.orders set expires_at = expires_at - ${by}::interval, created_at = created_at - ${by}::interval`
}
