import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { adminSql, callService } from './db'
import { newOrder } from './payment-rows'
import type { Person } from './people'
import { startPayment } from './requests'
import { stack } from './stack-in-test'
import { stripeSdk } from './stripe-sdk'

/** Sets one limit the way staff do. */
export async function setLimit(
  admin: Person,
  rule: string,
  to: { currency?: string; value?: number | null; windowSeconds?: number; countries?: string[] },
): Promise<void> {
  const [row] = await adminSql()`
    select version from private.payment_limits where rule = ${rule} and currency = ${to.currency ?? '*'}`
  await callService('change_payment_limit', {
    p_actor: admin.id,
    p_rule: rule,
    p_currency: to.currency ?? '*',
    p_value: to.value ?? null,
    p_window_seconds: to.windowSeconds ?? null,
    p_countries: to.countries ?? null,
    p_version: row?.version ?? 0,
    p_reason: 'a drill of the tests',
  })
}

/** Remembers the limits as they are; what it answers puts them back. */
export async function limitsAsTheyAre(): Promise<() => Promise<void>> {
  const [kept] = await adminSql()`select jsonb_agg(l) as rows from private.payment_limits l`
  return async () => {
    await adminSql().begin(async (sql) => {
      await sql`delete from private.payment_limits`
      await sql`insert into private.payment_limits
        select * from jsonb_populate_recordset(null::private.payment_limits, ${sql.json(kept?.rows)})`
    })
  }
}

/** An order of any amount, which the catalogue would not make. */
export async function orderOf(userId: string, amountMinor: number, currency: string): Promise<string> {
  const [order] = await adminSql()`
    with owner as (
      insert into public.customers (user_id) values (${userId}) on conflict (user_id) do update set user_id = excluded.user_id
      returning id)
    insert into public.orders (customer_id, reference, livemode, total_minor, currency)
    select id, ${`T-${randomUUID()}`}, false, ${amountMinor}, ${currency} from owner returning id`
  return String(order?.id)
}

export type Opening = { id: string } | { code: string; seconds: number | null }

/** Many calls of service.open_payment at once, each on a connection of its own as far as there are enough. */
export async function openAll(
  userId: string,
  orderIds: string[],
  addressHash: string | null = null,
): Promise<Opening[]> {
  const sql = postgres(stack().env.DATABASE_URL ?? '', { max: 25, prepare: false, onnotice: () => {} })
  try {
    return await Promise.all(orderIds.map((orderId) => open(sql, userId, orderId, addressHash)))
  } finally {
    await sql.end()
  }
}

async function open(
  sql: postgres.Sql,
  userId: string,
  orderId: string,
  addressHash: string | null,
): Promise<Opening> {
  try {
    const [row] = await sql`select service.open_payment(${userId}, false, ${orderId}, ${randomUUID()}, 'hash',
      'cus_test', true, ${addressHash}) as payment`
    return row?.payment as { id: string }
  } catch (error) {
    if (!(error instanceof postgres.PostgresError)) throw error
    return { code: error.code, seconds: Number(error.detail) || null }
  }
}

export const codesOf = (openings: Opening[]) =>
  openings.map((opening) => ('id' in opening ? 'opened' : opening.code))

/** How often each answer came. */
export function tally(openings: Opening[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const code of codesOf(openings)) counts[code] = (counts[code] ?? 0) + 1
  return counts
}

export type Started = { paymentId: string; intentId: string; orderId: string }

/** An order, with its payment opened over our route. */
export async function started(person: Person, headers = {}): Promise<Started> {
  const orderId = await newOrder(person.id)
  const response = await startPayment(person, orderId, { headers })
  if (response.status !== 201) throw new Error(`the payment was not opened: ${response.status}`)
  const { id: paymentId } = (await response.json()) as { id: string }
  const [row] =
    await adminSql()`select stripe_payment_intent_id as id from public.payments where id = ${paymentId}`
  return { paymentId, intentId: String(row?.id), orderId }
}

/** Pays as a browser would, past our server. Answers the status, or the code of the error. */
export const confirm = (intentId: string, card: string) =>
  stripeSdk()
    .paymentIntents.confirm(intentId, { payment_method: card, return_url: stack().appOrigin })
    .then(
      (intent) => intent.status as string,
      (error: { code?: string }) => error.code ?? 'error',
    )

export const statusOf = async (paymentId: string) => {
  const [row] = await adminSql()`select status from public.payments where id = ${paymentId}`
  return String(row?.status)
}
/** What was decided about a payment, as the audit log has it. */
export const decisionsOf = (paymentId: string) => adminSql()`
  select detail from private.audit_log where subject_id = ${paymentId} and action = 'payment.decided'`

/** As if all that people did here had been done that much earlier. */
export async function age(userId: string, seconds: number): Promise<void> {
  const sql = adminSql()
  const [customer] = await sql`select id from public.customers where user_id = ${userId}`
  const id = String(customer?.id)
  const by = `${seconds} seconds`
  await sql`update private.payment_attempts set created_at = created_at - ${by}::interval where customer_id = ${id}`
  await sql`update private.payment_decisions d set decided_at = decided_at - ${by}::interval
    from public.payments p where p.id = d.payment_id and p.customer_id = ${id}`
  await sql`update public.payments set created_at = created_at - ${by}::interval, paid_at = paid_at - ${by}::interval
    where customer_id = ${id}`
}
