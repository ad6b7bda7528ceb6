import { adminSql } from './db'
import type { Person } from './people'

type Row = Record<string, unknown>

/** What a person's rows are known by beyond the person: ids of ours and Stripe's that only their rows have. */
const OWN_IDS: Record<string, string[]> = {
  'public.customers': ['id'],
  'public.orders': ['id', 'reference'],
  'public.payments': ['id', 'stripe_payment_intent_id'],
  'public.refunds': ['id', 'stripe_refund_id'],
  'public.disputes': ['id', 'stripe_dispute_id'],
  'private.refund_requests': ['id'],
  'private.ledger_transactions': ['id'],
  'private.stripe_customers': ['stripe_customer_id'],
  'private.payment_attempts': ['stripe_charge_id'],
}

/** Every row of the database that holds an id or the address of a person, by table: found by looking at all of it. */
export async function belongingsOf(
  person: Person,
): Promise<{ marks: string[]; rows: Record<string, Row[]> }> {
  const sql = adminSql()
  const tables = await sql`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname in ('public', 'private', 'auth') order by 1`
  const marks = new Set([person.id, person.email])
  const found = new Map<string, Map<string, Row>>()
  // A round looks for what the last one has taught.
  for (let fresh = [...marks]; fresh.length > 0; ) {
    const learnt = new Set<string>()
    for (const { name } of tables) {
      const matching = await sql.unsafe(
        `select to_jsonb(t) as row, t::text as key from ${name} t where exists (select from unnest($1::text[]) m where strpos(t::text, m) > 0)`,
        [fresh],
      )
      const rows = found.get(name) ?? new Map<string, Row>()
      for (const { key, row } of matching) rows.set(String(key), row as Row)
      if (rows.size > 0) found.set(name, rows)
      for (const row of rows.values()) {
        for (const column of OWN_IDS[name] ?? []) if (row[column] !== null) learnt.add(String(row[column]))
      }
    }
    fresh = [...learnt].filter((mark) => !marks.has(mark))
    for (const mark of fresh) marks.add(mark)
  }
  const rows = Object.fromEntries([...found].map(([name, byKey]) => [name, [...byKey.values()]]))
  return { marks: [...marks], rows }
}
