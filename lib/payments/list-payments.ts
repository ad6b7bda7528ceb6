import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import { rowsOf } from '../supabase/rows'
import { type Supabase, supabase } from '../supabase/server'
import { type HistoryFilter, type Search, searchFor } from './history-filter'
import { PAYMENT_COLUMNS, PaymentRow, toSummary } from './payment-row'
import type { PaymentSummary } from './views'

const DEFAULT_LIMIT = 20

/** Where a page ended: the time as the database wrote it (to the microsecond) and the id that breaks ties. */
const Cursor = z.tuple([z.iso.datetime({ offset: true }), z.uuid()])

/**
 * The person's payments, newest first, a page at a time. A page is found by where the last one ended, so page 10,000 costs
 * what page 1 does.
 * @throws AppError bad_request for a cursor we did not hand out
 */
export async function listPayments({
  filter = {},
  cursor,
  limit = DEFAULT_LIMIT,
}: {
  user: User
  filter?: HistoryFilter
  cursor?: string
  limit?: number
}): Promise<{ payments: PaymentSummary[]; nextCursor: string | null }> {
  const { rows, nextCursor } = await readPage(await supabase(), { filter, cursor, limit })
  log.access('payments_listed', { count: rows.length })
  return { payments: rows.map(toSummary), nextCursor }
}

type Page = { filter: HistoryFilter; cursor?: string | undefined; limit: number }

/** One page of what row-level security lets this client see. */
export async function readPage(
  client: Supabase,
  { filter, cursor, limit }: Page,
): Promise<{ rows: PaymentRow[]; nextCursor: string | null }> {
  const search = filter.q ? searchFor(filter.q) : null
  const query = within(client.from('payments').select(PAYMENT_COLUMNS), filter)
  if (search && isLookup(search)) {
    const rows = await lookUp(client, query, search)
    return { rows, nextCursor: null }
  }

  let page = query
  if (search?.kind === 'card') page = page.eq('card_last4', search.last4)
  if (search?.kind === 'text') page = page.ilike('description', search.pattern)
  if (cursor !== undefined) {
    const [createdAt, id] = readCursor(cursor)
    page = page.lte('created_at', createdAt).or(`created_at.lt."${createdAt}",id.lt.${id}`)
  }
  const answer = await page
    .order('created_at', { ascending: false })
    .order('id', { ascending: false })
    .limit(limit + 1)
  const found = rowsOf(PaymentRow, answer)
  const rows = found.slice(0, limit)
  const last = rows.at(-1)
  return { rows, nextCursor: found.length > limit && last ? writeCursor([last.created_at, last.id]) : null }
}

const selectOf = (client: Supabase) => client.from('payments').select(PAYMENT_COLUMNS)
type Query = ReturnType<typeof selectOf>

/** Each state is said in the words of its index (migration history). */
function within(query: Query, { status, from, to }: HistoryFilter): Query {
  let narrowed = query.eq('livemode', env().livemode)
  if (status === 'paid') narrowed = narrowed.eq('status', 'succeeded').eq('amount_refunded_minor', 0)
  if (status === 'refunded') narrowed = narrowed.eq('status', 'succeeded').gt('amount_refunded_minor', 0)
  if (status === 'canceled') narrowed = narrowed.eq('status', 'canceled')
  if (status === 'unfinished') narrowed = narrowed.not('status', 'in', '(succeeded,canceled)')
  if (from) narrowed = narrowed.gte('created_at', `${from}T00:00:00Z`)
  if (to) narrowed = narrowed.lt('created_at', dayAfter(to))
  return narrowed
}

function dayAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`)
  date.setUTCDate(date.getUTCDate() + 1)
  return date.toISOString()
}

type Lookup = Extract<Search, { kind: 'payment' | 'order' }>

function isLookup(search: Search): search is Lookup {
  return search.kind === 'payment' || search.kind === 'order'
}

/**
 * What a reference names: few rows, all on one page. They are put in order here: asked for in order, the database may
 * prefer to walk through the whole history until it comes by them.
 */
async function lookUp(client: Supabase, query: Query, search: Lookup): Promise<PaymentRow[]> {
  let named = query
  if (search.kind === 'payment') named = query.gte('id', search.firstId).lte('id', search.lastId)
  else {
    const orders = await client.from('orders').select('id').eq('reference', search.reference)
    const ids = rowsOf(z.object({ id: z.uuid() }), orders).map(({ id }) => id)
    if (ids.length === 0) return []
    named = query.in('order_id', ids)
  }
  return rowsOf(PaymentRow, await named).toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1))
}

/** Whether a cursor is one that we could have handed out: a page shows its first rows for any other. */
export function isCursor(text: string): boolean {
  try {
    readCursor(text)
    return true
  } catch {
    return false
  }
}

function writeCursor(cursor: z.infer<typeof Cursor>): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

function readCursor(text: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch (error) {
    throw new AppError('bad_request', { cause: error })
  }
}
