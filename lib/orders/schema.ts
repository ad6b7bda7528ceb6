import { z } from 'zod'

export const CreateOrderInput = z.strictObject({
  productId: z.uuid(),
  quantity: z.coerce
    .number({ error: 'Enter a number.' })
    .int('Enter a whole number.')
    .min(1, 'Order at least one.')
    .max(99, 'Order 99 at most.'),
})
export type CreateOrderInput = z.infer<typeof CreateOrderInput>

export const ORDER_STATUSES = ['open', 'paid', 'canceled', 'expired'] as const
export type OrderStatus = (typeof ORDER_STATUSES)[number]
