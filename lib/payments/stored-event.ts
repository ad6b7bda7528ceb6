import { z } from 'zod'
import type { EventFacts } from './facts'

/** An event as the inbox kept it: the facts we picked from it when it came. */
export const StoredEvent = z.object({
  event: z.custom<EventFacts>((value) => typeof value === 'object'),
  payloadHash: z.string(),
})
