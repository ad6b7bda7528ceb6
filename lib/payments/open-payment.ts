import 'server-only'
import { z } from 'zod'
import { PAYMENT_STATUSES } from './status'

/** A payment as the `service` functions hand it to the server: with what asking Stripe needs, never to a browser. */
export const OpenPayment = z.object({
  id: z.uuid(),
  orderId: z.uuid().nullable(),
  status: z.enum(PAYMENT_STATUSES),
  amountMinor: z.number().int(),
  currency: z.string(),
  intentId: z.string().nullable(),
  request: z
    .object({
      amount: z.number().int(),
      currency: z.string(),
      customer: z.string(),
      capture_method: z.literal('manual').optional(),
      automatic_payment_methods: z.object({ enabled: z.boolean() }),
      description: z.string(),
      metadata: z.object({ payment_id: z.string(), order_id: z.string() }),
    })
    .nullable(),
  attempt: z.number().int(),
  /** By the database's clock, which also wrote when the attempt began. */
  attemptAgeSeconds: z.number(),
  createdAt: z.string(),
  version: z.number().int(),
})
export type OpenPayment = z.infer<typeof OpenPayment>
