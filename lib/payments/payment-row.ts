import 'server-only'
import { z } from 'zod'
import { PAYMENT_STATUSES } from './status'
import type { PaymentSummary } from './views'

/** The columns a customer may read of a payment, by name: the grant in the database lists the same ones. */
export const PAYMENT_COLUMNS =
  'id, order_id, status, amount_minor, amount_received_minor, amount_refunded_minor, currency, description, card_brand, card_last4, failure_hint, created_at, paid_at'

export const PaymentRow = z.object({
  id: z.uuid(),
  order_id: z.uuid().nullable(),
  status: z.enum(PAYMENT_STATUSES),
  amount_minor: z.number().int(),
  amount_received_minor: z.number().int(),
  amount_refunded_minor: z.number().int(),
  currency: z.string(),
  description: z.string(),
  card_brand: z.string().nullable(),
  card_last4: z.string().nullable(),
  failure_hint: z.string().nullable(),
  created_at: z.string(),
  paid_at: z.string().nullable(),
})
export type PaymentRow = z.infer<typeof PaymentRow>

export function toSummary(row: PaymentRow): PaymentSummary {
  return {
    id: row.id,
    orderId: row.order_id,
    description: row.description || 'Payment',
    status: row.status,
    amountMinor: row.status === 'succeeded' ? row.amount_received_minor : row.amount_minor,
    refundedMinor: row.amount_refunded_minor,
    currency: row.currency,
    card: row.card_brand && row.card_last4 ? { brand: row.card_brand, last4: row.card_last4 } : null,
    createdAt: row.created_at,
  }
}

/** Short enough to read to somebody: the first twelve digits of the id. */
export function referenceOf(id: string): string {
  return `P-${id.replaceAll('-', '').slice(0, 12).toUpperCase()}`
}
