import 'server-only'
import type { User } from '../auth/session'
import { BYTE_ORDER_MARK, csvLine } from '../csv'
import { errorFields, log } from '../log'
import { formatDecimal } from '../money'
import { type Supabase, supabase } from '../supabase/server'
import { takeFromLimits } from '../take-from-limits'
import type { HistoryFilter } from './history-filter'
import { readPage } from './list-payments'
import { type PaymentRow, referenceOf, toSummary } from './payment-row'

const ROWS_AT_ONCE = 500

const HEADINGS = [
  'Reference',
  'Started (UTC)',
  'Paid (UTC)',
  'Description',
  'Status',
  'Amount',
  'Refunded',
  'Currency',
  'Card',
]

/**
 * The person's payments as CSV, newest first, written while they are read: however long the history, one page of it is in
 * memory. The first page is read before anything is answered; if a later one fails the download breaks off, and does not
 * end as if it were whole.
 * @throws AppError too_many_requests, unavailable
 */
export async function exportPayments({
  user,
  filter,
}: {
  user: User
  filter: HistoryFilter
}): Promise<ReadableStream<Uint8Array>> {
  await takeFromLimits(['csv-exports'], { person: user.id }, { outage: 'closed' })
  const pages = pagesOf(await supabase(), filter)
  const first = await pages.next()
  log.access('payments_exported')

  const encoder = new TextEncoder()
  const begin = encoder.encode(BYTE_ORDER_MARK + csvLine(HEADINGS) + (first.value ?? ''))
  return new ReadableStream({
    start: (controller) => controller.enqueue(begin),
    async pull(controller) {
      const page = await pages.next().catch((error: unknown) => {
        log.error('export_failed', errorFields(error))
        throw error
      })
      if (page.done) controller.close()
      else controller.enqueue(encoder.encode(page.value))
    },
    cancel: async () => {
      await pages.return()
    },
  })
}

async function* pagesOf(client: Supabase, filter: HistoryFilter): AsyncGenerator<string, void> {
  let cursor: string | undefined
  do {
    const page = await readPage(client, { filter, cursor, limit: ROWS_AT_ONCE })
    yield page.rows.map(lineOf).join('')
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
}

function lineOf(row: PaymentRow): string {
  const { amountMinor, refundedMinor, currency, card, description } = toSummary(row)
  return csvLine([
    referenceOf(row.id),
    inUtc(row.created_at),
    row.paid_at ? inUtc(row.paid_at) : '',
    description,
    row.status,
    formatDecimal(amountMinor, currency),
    formatDecimal(refundedMinor, currency),
    currency.toUpperCase(),
    card ? `${card.brand} ${card.last4}` : '',
  ])
}

/** "2026-11-26 01:30:00", which spreadsheets take for a time. */
function inUtc(at: string): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ')
}
