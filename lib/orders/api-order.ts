import 'server-only'
import { z } from 'zod'
import { env } from '../env'
import type { ErrorCode } from '../errors'
import { ORDER_STATUSES } from './schema'

export const OrderLineInput = z.strictObject({
  productId: z.uuid(),
  quantity: z.number().int().min(1).max(99),
})
const common = {
  lines: z.array(OrderLineInput).min(1).max(50),
  /** What the other system calls it. */
  reference: z.string().trim().min(1).max(100).optional(),
  /** When it can no longer be paid. An order for an address, or one we send a mail about, ends after two weeks unless said otherwise. */
  expiresInDays: z.number().int().min(1).max(90).optional(),
  /** Whether we send whoever is to pay a mail with the link. */
  notify: z.boolean().optional(),
}

/** For a customer by our id, or for an address: of a customer, or of somebody who is to become one. What it costs is the catalogue's to say. */
export const ApiOrderInput = z.union([
  z.strictObject({ customerId: z.uuid(), ...common }),
  z.strictObject({ email: z.string().trim().max(254).pipe(z.email()), ...common }),
])
export type ApiOrderInput = z.infer<typeof ApiOrderInput>

/** An order as the system that made it sees it. */
export type ApiOrder = z.infer<typeof Row> & { checkoutUrl: string }

/** How an order is told to whoever may place them for others. */
export const OrderRow = z.object({
  id: z.uuid(),
  reference: z.string(),
  /** Null until whoever has that address has taken it. */
  customerId: z.uuid().nullable(),
  status: z.enum(ORDER_STATUSES),
  totalMinor: z.number().int(),
  currency: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
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
const Row = OrderRow.extend({ externalReference: z.string().nullable() })

/** What the database raises about an order placed for somebody. */
export const ORDER_REFUSALS = {
  '23505': 'idempotency_key_reused',
  PW020: 'customer_unknown',
  PW021: 'product_unknown',
  PW022: 'currencies_differ',
  '22003': 'amount_too_large',
} as const satisfies Record<string, ErrorCode>

/** @param row an answer of private.api_order_json */
export function toApiOrder(row: unknown): ApiOrder {
  const order = Row.parse(row)
  // Where its customer pays, once signed in.
  return { ...order, checkoutUrl: `${env().appOrigin}/checkout/${order.id}` }
}
