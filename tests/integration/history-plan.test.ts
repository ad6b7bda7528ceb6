import type { TransactionSql } from 'postgres'
import { describe, expect, it } from 'vitest'
import { type Cursor, makePayments, pageQuery, STATES } from '../../bench/history-rows'
import { adminSql } from '../support/db'
import { newUserRow } from '../support/payment-rows'

const ALL = 60_000
const PLACES = [0, 300, 600]

type Plan = {
  'Node Type': string
  'Index Name'?: string
  'Relation Name'?: string
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: Plan[]
}

/** `npm run bench -- history` measures the same on ten million rows, in time. */
describe('a page of a long history', () => {
  it('comes out of an index in its order, the last like the first, in every state', async () => {
    const found = await inALongHistory(async (sql) => {
      const plans: Record<string, { indexes: string[]; walks: boolean; blocks: number }> = {}
      for (const [state, where] of Object.entries(STATES)) {
        for (const place of PLACES) {
          const after = await cursorAfter(sql, where, place)
          plans[`${state} after ${place}`] = read(await explain(sql, pageQuery(where, after)))
        }
      }
      return plans
    })

    for (const [page, { indexes, walks, blocks }] of Object.entries(found)) {
      const [state = ''] = page.split(' ')
      expect(indexes, page).toContain(INDEX[state])
      expect(walks, page).toBe(false)
      // A page has 21 rows. What it reads does not grow with how far in it is.
      expect(blocks, page).toBeLessThan(120)
    }
  })

  it('is not walked through for a reference', async () => {
    const { indexes, blocks } = await inALongHistory(async (sql) => {
      const query = `select id from public.payments where livemode = false
        and id >= '0123abcd-4567-0000-0000-000000000000' and id <= '0123abcd-4567-ffff-ffff-ffffffffffff'`
      return read(await explain(sql, query))
    })

    expect(indexes).toContain('payments_pkey')
    expect(blocks).toBeLessThan(20)
  })
})

const INDEX: Readonly<Record<string, string>> = {
  all: 'payments_by_customer',
  paid: 'payments_paid_by_customer',
  refunded: 'payments_refunded_by_customer',
  canceled: 'payments_canceled_by_customer',
}

/** In a transaction that is taken back: nobody else ever sees these rows. */
async function inALongHistory<Result>(look: (sql: TransactionSql) => Promise<Result>): Promise<Result> {
  const userId = await newUserRow()
  const takenBack = new Error('taken back')
  let result: Result | undefined
  await adminSql()
    .begin(async (sql) => {
      const [own] = await sql`insert into public.customers (user_id) values (${userId}) returning id`
      const others = await sql`insert into public.customers default values returning id`
      await sql.unsafe(
        makePayments(`(case when n % 4 = 0 then '${own?.id}' else '${others[0]?.id}' end)::uuid`, 1, ALL),
      )
      await sql`analyze public.payments, public.customers`
      await sql`select set_config('request.jwt.claims', ${JSON.stringify({ sub: userId })}, true)`
      await sql`set local role authenticated`
      result = await look(sql)
      throw takenBack
    })
    .catch((error: unknown) => {
      if (error !== takenBack) throw error
    })
  return result as Result
}

async function cursorAfter(sql: TransactionSql, where: string, place: number): Promise<Cursor | null> {
  if (place === 0) return null
  const [row] = await sql.unsafe(
    `select created_at::text as "createdAt", id from public.payments where livemode = false ${where}
      order by created_at desc, id desc offset ${place - 1} limit 1`,
  )
  return { createdAt: String(row?.createdAt), id: String(row?.id) }
}

async function explain(sql: TransactionSql, query: string): Promise<Plan> {
  const [row] = await sql.unsafe<{ 'QUERY PLAN': [{ Plan: Plan }] }[]>(
    `explain (analyze, buffers, format json) ${query}`,
  )
  if (!row) throw new Error('explain answers with a plan')
  return row['QUERY PLAN'][0].Plan
}

function read(plan: Plan) {
  const nodes = [plan]
  for (const node of nodes) nodes.push(...(node.Plans ?? []))
  return {
    indexes: nodes.flatMap((node) => node['Index Name'] ?? []),
    walks: nodes.some(isWalk),
    blocks: plan['Shared Hit Blocks'] + plan['Shared Read Blocks'],
  }
}

/** All of the history is read, or put in order, to show a page of it. */
function isWalk(node: Plan): boolean {
  const type = node['Node Type']
  return type.includes('Sort') || (node['Relation Name'] === 'payments' && /Seq|Bitmap/.test(type))
}
