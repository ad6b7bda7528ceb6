import { z } from 'zod'

/** Said once more in words, so that no other request is ever taken for this one. */
export const ErasureInput = z.strictObject({ confirm: z.literal('delete') })

/** What has to come to its end before a person can go; each is a refusal of its own in lib/errors.ts. */
export const Blocker = z.enum([
  'payment_open',
  'refund_open',
  'dispute_open',
  'subscription_live',
  'still_staff',
])
export type Blocker = z.infer<typeof Blocker>
