import { z } from 'zod'

/** By our id alone: an address has no place in a URL. */
export const EntitlementsInput = z.strictObject({ customerId: z.uuid() })
