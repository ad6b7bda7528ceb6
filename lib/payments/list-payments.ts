import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import { rowsOf } from '../supabase/rows'
import { supabase } from '../supabase/server'
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
  cursor,
  limit = DEFAULT_LIMIT,
}: {
  user: User
  cursor?: string
  limit?: number
}): Promise<{ payments: PaymentSummary[]; nextCursor: string | null }> {
  const client = await supabase()
  let query = client
    .from('payments')
    .select(PAYMENT_COLUMNS)
    .eq('livemode', env().livemode)
    .order('created_at', { ascending: false })
    .order('id', { ascending: false })
    .limit(limit + 1)
  if (cursor !== undefined) {
    const [createdAt, id] = readCursor(cursor)
    query = query.lte('created_at', createdAt).or(`created_at.lt."${createdAt}",id.lt.${id}`)
  }
  const rows = rowsOf(PaymentRow, await query)
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  log.access('payments_listed', { count: page.length })
  return {
    payments: page.map(toSummary),
    nextCursor: rows.length > limit && last ? writeCursor([last.created_at, last.id]) : null,
  }
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
