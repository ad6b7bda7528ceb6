import { z } from 'zod'
import { HistoryFilter } from './history-filter'

/** The browser says which order. What is owed, in which currency and by whom is ours to know. */
export const CreatePaymentInput = z.strictObject({ orderId: z.uuid() })
export type CreatePaymentInput = z.infer<typeof CreatePaymentInput>

/** A page of the history, or all of it as CSV. */
export const HistoryInput = HistoryFilter.extend({
  format: z.enum(['json', 'csv']).default('json'),
  cursor: z.string().max(300).optional(),
  limit: z.coerce.number().int().min(1).max(100).optional(),
}).refine(({ format, cursor, limit }) => format === 'json' || (cursor === undefined && limit === undefined))

/** Without an amount, all that is left goes back. */
export const RefundPaymentInput = z.strictObject({
  amountMinor: z.number().int().min(1).max(99_999_999).optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']),
  note: z.string().max(500).optional(),
})
export type RefundPaymentInput = z.infer<typeof RefundPaymentInput>
