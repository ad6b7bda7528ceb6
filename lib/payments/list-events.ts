import 'server-only'
import { z } from 'zod'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { AppError } from '../errors'
import { EventStatus, type InboxInput } from './event-schema'

const DEFAULT_LIMIT = 50

const InboxEvent = z.object({
  id: z.string(),
  livemode: z.boolean(),
  type: z.string(),
  objectId: z.string().nullable(),
  status: EventStatus,
  source: z.enum(['webhook', 'sweep', 'replay']),
  attempts: z.number().int(),
  /** The SQLSTATE or Stripe's code of the last failure. */
  lastError: z.string().nullable(),
  receivedAt: z.string(),
  processedAt: z.string().nullable(),
  nextAttemptAt: z.string().nullable(),
  replayId: z.uuid().nullable(),
})
export type InboxEvent = z.infer<typeof InboxEvent>

/** Where a page ended: when that event came in (to the microsecond) and its id. */
const Cursor = z.tuple([z.iso.datetime({ offset: true }), z.string()])

/**
 * What Stripe has told us, newest first, a page at a time; payloads are not shown.
 * @throws AppError forbidden; bad_request for a cursor we did not hand out
 */
export async function listEvents({
  staff,
  status,
  type,
  cursor,
  limit = DEFAULT_LIMIT,
}: { staff: Staff } & z.infer<typeof InboxInput>): Promise<{
  events: InboxEvent[]
  nextCursor: string | null
}> {
  const [afterAt, afterId] = cursor === undefined ? [null, null] : readCursor(cursor)
  const rows = await inWords(
    callService('inbox_events', {
      p_actor: staff.id,
      p_status: status ?? null,
      p_type: type ?? null,
      p_after_at: afterAt,
      p_after_id: afterId,
      p_limit: limit + 1,
    }),
  )
  const events = z.array(InboxEvent).parse(rows)
  const page = events.slice(0, limit)
  const last = page.at(-1)
  return {
    events: page,
    nextCursor: events.length > limit && last ? writeCursor([last.receivedAt, last.id]) : null,
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
