import { randomUUID } from 'node:crypto'
import postgres, { type ReservedSql } from 'postgres'
import { type Cursor, makePayments, pageQuery, STATES } from './history-rows.ts'
import { median, withProviders } from './side-by-side.ts'

/** How many payments there are, and that every how manieth is our customer's: ten thousand pages of them at the least. */
const FULL = { payments: 10_000_000, every: 10 }
const USUAL = { payments: 1_000_000, every: 4 }
const BATCH = 500_000
const PAGES = 10_000
const ROUNDS = 300
const OTHER_CUSTOMERS = 5_000

/**
 * A customer turns ten thousand pages of the history, and each page is asked for as that customer, through row-level
 * security. `-- history --full` makes ten million payments, a million of them the customer's; otherwise it is a million, and
 * a quarter of them.
 */
export async function history(options: readonly string[]): Promise<string[]> {
  const size = options.includes('--full') ? FULL : USUAL
  return await withProviders(['postgres'], async ({ adminDatabaseUrl }) => {
    const pool = postgres(adminDatabaseUrl, { max: 1, onnotice: () => {} })
    const sql = await pool.reserve()
    const userId = await fill(sql, size)
    await become(sql, userId)
    const lines = [
      `${size.payments.toLocaleString('en')} payments, ${(size.payments / size.every).toLocaleString('en')} of them one customer's`,
    ]
    for (const [state, where] of Object.entries(STATES)) lines.push(await comparePages(sql, state, where))
    const searched = await timeOf(sql, pageQuery(`and description ilike '%nothing like it%'`, null))
    lines.push(`a text that is nowhere in the history: ${searched.toFixed(0)} ms`)
    sql.release()
    await pool.end()
    return lines
  })
}

/** The customer's payments lie between those of others, so that a page is as scattered on the disk as it is in life. */
async function fill(sql: ReservedSql, { payments, every }: typeof USUAL): Promise<string> {
  const userId = randomUUID()
  await sql`insert into auth.users (id, email) values (${userId}, ${`${userId}@example.test`})`
  const [own] = await sql`insert into public.customers (user_id) values (${userId}) returning id`
  await sql.unsafe(`create temporary table others as select row_number() over () - 1 as place, id from (
    select gen_random_uuid() as id from generate_series(1, ${OTHER_CUSTOMERS})) o`)
  await sql`insert into public.customers (id) select id from others`
  await sql`create unique index on others (place)`
  const indexes =
    await sql`select indexname, indexdef from pg_indexes i where schemaname = 'public' and tablename = 'payments'
    and not exists (select from pg_constraint c where c.conname = i.indexname)`
  for (const { indexname } of indexes) await sql.unsafe(`drop index public.${indexname}`)
  // The references are right by the way they are made: checking each would take half of the time.
  await sql`alter table public.payments drop constraint payments_customer_id_fkey`
  await sql`set maintenance_work_mem = '512MB'`
  for (let first = 1; first <= payments; first += BATCH) {
    const customer = `case when n % ${every} = 0 then '${own?.id}'::uuid
      else (select o.id from others o where o.place = n % ${OTHER_CUSTOMERS}) end`
    await sql.unsafe(makePayments(customer, first, Math.min(first + BATCH - 1, payments)))
  }
  for (const { indexdef } of indexes) await sql.unsafe(indexdef)
  await sql`vacuum analyze public.payments`
  await sql`analyze public.customers`
  return userId
}

async function become(sql: ReservedSql, userId: string): Promise<void> {
  await sql`select set_config('request.jwt.claims', ${JSON.stringify({ sub: userId })}, false)`
  await sql`set role authenticated`
}

/** The first page and the last that we turn to, in turns, after the whole way there. */
async function comparePages(sql: ReservedSql, state: string, where: string): Promise<string> {
  let after: Cursor | null = null
  let page = 1
  const walkedMs = performance.now()
  for (; page < PAGES; page++) {
    const rows: readonly Record<string, unknown>[] = await sql.unsafe(pageQuery(where, after))
    const last = rows[19]
    if (!last || rows.length < 21) break
    after = { createdAt: String(last.createdAt), id: String(last.id) }
  }
  const perPage = (performance.now() - walkedMs) / page
  const times: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    times[0].push(await timeOf(sql, pageQuery(where, null)))
    times[1].push(await timeOf(sql, pageQuery(where, after)))
  }
  const [first, last] = [median(times[0]), median(times[1])]
  const name = `${state}, page ${page.toLocaleString('en')}`
  return `${name.padEnd(24)} ${last.toFixed(2)} ms, page 1 ${first.toFixed(2)} ms, ratio ${(last / first).toFixed(2)}, on the way ${perPage.toFixed(2)} ms a page`
}

async function timeOf(sql: ReservedSql, query: string): Promise<number> {
  const startedMs = performance.now()
  await sql.unsafe(query)
  return performance.now() - startedMs
}
