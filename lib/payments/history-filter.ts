import { z } from 'zod'
import { holdsCardNumber } from '../edge/card-number'

/** What a customer calls the states of a payment. Each has an index of its own in the database. */
export const HISTORY_STATES = ['paid', 'refunded', 'unfinished', 'canceled'] as const

/** Which payments of a history are looked for. Days begin and end in UTC, so that a link means the same everywhere. */
export const HistoryFilter = z.strictObject({
  status: z.enum(HISTORY_STATES).optional(),
  from: z.iso.date().optional(),
  to: z.iso.date().optional(),
  q: z
    .string()
    .trim()
    .max(80)
    .regex(/^\P{Cc}*$/u)
    .refine((text) => !holdsCardNumber(text))
    .optional(),
})
export type HistoryFilter = z.infer<typeof HistoryFilter>

/** What of an address's query can be understood as a filter: a page shows what it can, an API refuses the rest. */
export function filterFrom(query: Record<string, string | string[] | undefined>): HistoryFilter {
  const filter: Record<string, unknown> = {}
  for (const [name, schema] of Object.entries(HistoryFilter.shape)) {
    const parsed = schema.safeParse(query[name])
    if (parsed.success && parsed.data) filter[name] = parsed.data
  }
  return HistoryFilter.parse(filter)
}

/** What a search text names. A reference is looked up, whatever else it may be is read for. */
export type Search =
  | { kind: 'payment'; firstId: string; lastId: string }
  | { kind: 'order'; reference: string }
  | { kind: 'card'; last4: string }
  | { kind: 'text'; pattern: string }

export function searchFor(text: string): Search {
  const reference = /^(?:P-)?([0-9a-f]{12})$/i.exec(text)?.[1]?.toLowerCase()
  if (reference) return { kind: 'payment', ...idsThatBegin(reference) }
  if (z.uuid().safeParse(text).success)
    return { kind: 'payment', firstId: text.toLowerCase(), lastId: text.toLowerCase() }
  const order = /^(?:order )?(PW-[0-9A-Z]{10})$/i.exec(text)?.[1]?.toUpperCase()
  if (order) return { kind: 'order', reference: order }
  if (/^\d{4}$/.test(text)) return { kind: 'card', last4: text }
  return { kind: 'text', pattern: containing(text) }
}

/** What the database calls the payments of a reference: all ids with its twelve digits in front. */
function idsThatBegin(digits: string): { firstId: string; lastId: string } {
  const head = `${digits.slice(0, 8)}-${digits.slice(8)}`
  return { firstId: `${head}-0000-0000-000000000000`, lastId: `${head}-ffff-ffff-ffffffffffff` }
}

/** PostgREST takes a star for any text and offers no way to mean the star itself: one unknown letter is the next best. */
function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, '\\$&').replaceAll('*', '_')}%`
}
