import { z } from 'zod'
import { Reason } from '../staff/schema'

export const EventStatus = z.enum(['pending', 'processed', 'ignored', 'rejected', 'parked'])

const EventType = z.string().regex(/^[a-z_.]{1,100}$/)

export const InboxInput = z.strictObject({
  status: EventStatus.optional(),
  type: EventType.optional(),
  cursor: z.string().max(500).optional(),
  limit: z.coerce.number().int().min(1).max(100).optional(),
})

/** One event, or those of one status that came in from one time until before another. */
export const ReplayInput = z.union([
  z.strictObject({ eventId: z.string().regex(/^evt_\w{1,200}$/), reason: Reason }),
  z.strictObject({
    from: z.iso.datetime({ offset: true }),
    until: z.iso.datetime({ offset: true }),
    status: EventStatus,
    type: EventType.optional(),
    reason: Reason,
  }),
])
export type ReplayInput = z.infer<typeof ReplayInput>
