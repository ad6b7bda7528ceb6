import { adminSql } from './db'
import { untilStripeHasToldAll } from './stripe-silence'

/**
 * Every row of every table that is ours, and of the people and sessions of Auth, as one text per table; but for the rows that
 * tell that staff have read something.
 */
export async function dumpDatabase(): Promise<Record<string, string>> {
  const tables = await adminSql()<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname in ('public', 'private', 'auth') order by 1`
  const dumped = await Promise.all(
    tables.map(async ({ name }) => {
      const [row] = await adminSql().unsafe(
        `select coalesce(string_agg(t::text, e'\\n' order by t::text), '') as rows from ${name} t
          ${name === 'private.audit_log' ? "where action not like '%.read'" : ''}`,
      )
      return [name, String(row?.rows)] as const
    }),
  )
  return Object.fromEntries(dumped)
}

/** The same once nothing moves any more: what earlier tests set going may still be on its way. */
export async function quietDump(): Promise<Record<string, string>> {
  let last = await dumpDatabase()
  for (let tries = 0; tries < 20; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    // A slow machine may rest for that long between two steps of one event.
    await untilStripeHasToldAll()
    const now = await dumpDatabase()
    if (JSON.stringify(now) === JSON.stringify(last)) return now
    last = now
  }
  throw new Error('the database does not come to rest')
}
