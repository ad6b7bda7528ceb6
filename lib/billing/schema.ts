import { z } from 'zod'

export const SubscribeInput = z.strictObject({ planId: z.uuid() })

/** By our id alone: an address has no place in a URL. */
export const EntitlementsInput = z.strictObject({ customerId: z.uuid() })
