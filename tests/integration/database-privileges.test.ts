import { describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'

const SCHEMAS = ['public', 'private', 'service']

/** Everything signed-in customers may do in the database. Whoever widens it says so here. */
const AUTHENTICATED_MAY = [
  'select public.customers (created_at, id, user_id)',
  'select public.disputes (amount_minor, created_at, currency, id, payment_id, status, updated_at)',
  'select public.invoices (amount_due_minor, amount_paid_minor, created_at, currency, customer_id, grace, grace_ends_at, id, livemode, needs_action, status, subscription_id, updated_at)',
  'select public.order_lines (amount_minor, name, order_id, position, product_id, quantity, unit_amount_minor)',
  'select public.orders (created_at, currency, customer_id, expires_at, id, livemode, paid_at, paid_by_payment_id, reference, status, total_minor)',
  'select public.payments (amount_minor, amount_received_minor, amount_refunded_minor, canceled_at, card_brand, card_last4, created_at, currency, customer_id, description, failure_hint, id, livemode, order_id, paid_at, status, updated_at)',
  'select public.refunds (amount_minor, created_at, currency, id, payment_id, status, updated_at)',
  'select public.subscriptions (began_at, cancel_at, created_at, current_period_end, customer_id, ended_at, id, livemode, plan_id, status, updated_at)',
]

async function privilegesOf(role: string): Promise<string[]> {
  const columns = await adminSql()`
    select privilege.name || ' ' || n.nspname || '.' || c.relname
      || ' (' || string_agg(a.attname, ', ' order by a.attname) || ')' as line
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    cross join unnest(array['select', 'insert', 'update', 'references']) as privilege(name)
    where n.nspname = any (${SCHEMAS}) and c.relkind in ('r', 'v', 'm', 'p', 'f')
      and has_column_privilege(${role}, c.oid, a.attnum, privilege.name)
    group by privilege.name, n.nspname, c.relname`
  const tables = await adminSql()`
    select privilege.name || ' ' || n.nspname || '.' || c.relname as line
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    cross join unnest(array['delete', 'truncate', 'trigger']) as privilege(name)
    where n.nspname = any (${SCHEMAS}) and c.relkind in ('r', 'v', 'm', 'p', 'f')
      and has_table_privilege(${role}, c.oid, privilege.name)`
  const sequences = await adminSql()`
    select 'sequence ' || n.nspname || '.' || c.relname as line
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any (${SCHEMAS}) 
      and case when c.relkind = 'S' then has_sequence_privilege(${role}, c.oid, 'usage, select, update') end`
  const functions = await adminSql()`
    select 'execute ' || p.oid::regprocedure as line
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname = any (${SCHEMAS}) and has_function_privilege(${role}, p.oid, 'execute')`
  const schemas = await adminSql()`
    select 'create in ' || n.nspname as line from pg_namespace n
    where n.nspname = any (${SCHEMAS}) and has_schema_privilege(${role}, n.oid, 'create')`
  return [...columns, ...tables, ...sequences, ...functions, ...schemas].map((row) => String(row.line)).sort()
}

describe('privileges in the database', () => {
  it('anon may do nothing at all (Z4)', async () => {
    expect(await privilegesOf('anon')).toEqual([])
  })

  it('authenticated may select named columns and nothing else (Z5)', async () => {
    expect(await privilegesOf('authenticated')).toEqual(AUTHENTICATED_MAY)
  })

  it('service_role, which the app has no key for, may do nothing with our tables', async () => {
    expect(await privilegesOf('service_role')).toEqual([])
  })

  it('payments_service may execute functions in schema service and has no right on any table', async () => {
    const privileges = await privilegesOf('payments_service')

    expect(privileges.length).toBeGreaterThan(10)
    expect(privileges.filter((line) => !line.startsWith('execute service.'))).toEqual([])
  })

  it('neither role of ours bypasses row-level security or can become another', async () => {
    const roles = await adminSql()`
      select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
        (select count(*)::int from pg_auth_members m where m.member = r.oid) as memberships
      from pg_roles r where rolname in ('payments_service', 'payments_owner') order by rolname`

    for (const role of roles) {
      expect(role).toMatchObject({
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
        rolcreatedb: false,
        memberships: 0,
      })
    }
    expect(roles).toHaveLength(2)
  })

  it('payments_owner cannot change or remove what is append-only', async () => {
    const privileges = await privilegesOf('payments_owner')

    for (const table of [
      'audit_log',
      'ledger_entries',
      'ledger_transactions',
      'alerts',
      'payment_attempts',
    ]) {
      expect(
        privileges.filter(
          (line) => line.includes(`private.${table}`) && /^(update|delete|truncate)/.test(line),
        ),
      ).toEqual([])
    }
    expect(privileges.filter((line) => /^(delete|truncate)/.test(line))).toEqual([])
  })

  it('row-level security is on for every table, and every definer function has an empty search path', async () => {
    const open = await adminSql()`
      select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = any (${SCHEMAS}) and c.relkind in ('r', 'p') and not c.relrowsecurity`
    const loose = await adminSql()`
      select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = any (${SCHEMAS}) and (p.proconfig is null or not 'search_path=""' = any (p.proconfig))`
    const exposed = await adminSql()`
      select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'public'`

    expect(open.map((row) => row.name)).toEqual([])
    expect(loose.map((row) => row.name)).toEqual([])
    expect(exposed.map((row) => row.name)).toEqual([])
  })

  it('an audit row cannot be changed even by the role that owns the table', async () => {
    const change = adminSql()`update private.audit_log set action = 'forged'`
    const removal = adminSql()`truncate private.audit_log`

    await expect(change).rejects.toMatchObject({ code: '42501' })
    await expect(removal).rejects.toMatchObject({ code: '42501' })
  })

  it('a ledger transaction that does not add up to zero cannot be committed', async () => {
    const unbalanced = adminSql().begin(async (sql) => {
      const [payment] = await sql`
        insert into public.payments (livemode, origin, status, amount_minor, currency)
        values (false, 'stripe', 'unknown', 1, 'eur') returning id`
      const [transaction] = await sql`
        insert into private.ledger_transactions (livemode, stripe_object_id, movement, payment_id)
        values (false, ${`ch_${crypto.randomUUID()}`}, 'charge', ${payment?.id}) returning id`
      await sql`insert into private.ledger_entries (transaction_id, account, amount_minor, currency) values
        (${transaction?.id}, 'stripe_clearing', 100, 'eur'), (${transaction?.id}, 'sales', -99, 'eur')`
    })

    await expect(unbalanced).rejects.toMatchObject({ code: '23514' })
  })
})
