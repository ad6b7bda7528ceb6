import 'server-only'
import { z } from 'zod'
import { env } from '../env'

const line = z.strictObject({ productId: z.uuid(), quantity: z.number().int().min(1).max(99) })
const common = {
  lines: z.array(line).min(1).max(50),
  /** What the other system calls it. */
  reference: z.string().trim().min(1).max(100).optional(),
}

/** For a customer by our id, or by the address they sign in with. What it costs is the catalogue's to say. */
export const ApiOrderInput = z.union([
  z.strictObject({ customerId: z.uuid(), ...common }),
  z.strictObject({ email: z.string().trim().max(254).pipe(z.email()), ...common }),
])
export type ApiOrderInput = z.infer<typeof ApiOrderInput>

/** An order as the system that made it sees it. */
export type ApiOrder = z.infer<typeof Row> & { checkoutUrl: string }

const Row = z.object({
  id: z.uuid(),
  reference: z.string(),
  externalReference: z.string().nullable(),
  customerId: z.uuid(),
  status: z.enum(['open', 'paid', 'canceled', 'expired']),
  totalMinor: z.number().int(),
  currency: z.string(),
  createdAt: z.string(),
  paidAt: z.string().nullable(),
  lines: z.array(
    z.object({
      productId: z.uuid().nullable(),
      name: z.string(),
      quantity: z.number().int(),
      unitAmountMinor: z.number().int(),
      amountMinor: z.number().int(),
    }),
  ),
})

/** @param row an answer of private.api_order_json */
export function toApiOrder(row: unknown): ApiOrder {
  const order = Row.parse(row)
  // Where its customer pays, once signed in.
  return { ...order, checkoutUrl: `${env().appOrigin}/checkout/${order.id}` }
}
