import { z } from 'zod'
import type { NewPaymentMethod } from '../payments/payment-methods.ts'

/** A card as a page sends it: what `card-form.js` reads, and the name beside it. */
export const cardInput = z.strictObject({
  number: z.string().max(40),
  exp_month: z.int(),
  exp_year: z.int(),
  cvc: z.string().max(4),
})

export function toPaymentMethod(
  card: z.infer<typeof cardInput>,
  details: { email?: string | null | undefined; name?: string | undefined },
): NewPaymentMethod {
  return {
    type: 'card',
    card: { ...card, token: undefined, networks: undefined },
    billing_details: {
      address: undefined,
      email: details.email ?? undefined,
      name: details.name,
      phone: undefined,
      tax_id: undefined,
    },
    metadata: undefined,
    allow_redisplay: undefined,
    radar_options: undefined,
  }
}
