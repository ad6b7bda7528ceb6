import 'server-only'
import { z } from 'zod'
import { env } from '../env'
import { OrderLineInput, OrderRow } from '../orders/api-order'
import { Reason } from '../staff/schema'

const common = {
  lines: z.array(OrderLineInput).min(1).max(50),
  expiresInDays: z.number().int().min(1).max(90).default(14),
  reason: Reason,
}

/** For a customer by our id, or for an address. What it costs is the catalogue's to say. */
export const PaymentRequestInput = z.union([
  z.strictObject({ customerId: z.uuid(), ...common }),
  z.strictObject({ email: z.string().trim().max(254).pipe(z.email()), ...common }),
])
export type PaymentRequestInput = z.infer<typeof PaymentRequestInput>

export const CancellationInput = z.strictObject({ reason: Reason })
export type CancellationInput = z.infer<typeof CancellationInput>

const Row = OrderRow.extend({
  /** Until somebody takes the order, or it ends. */
  email: z.string().nullable(),
  claimedAt: z.string().nullable(),
})

/** A request as staff see it. */
export type PaymentRequest = z.infer<typeof Row> & { url: string }

/** @param row an answer of private.payment_request_json */
export function toPaymentRequest(row: unknown): PaymentRequest {
  const request = Row.parse(row)
  // Where whoever is to pay takes it, once signed in.
  return { ...request, url: `${env().appOrigin}/orders/${request.id}` }
}
