import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { env } from '../env'
import { AppError } from '../errors'
import { requireUuid } from '../http'
import { PAYMENT_STATUSES, type PaymentStatus } from '../payments/status'
import { rowsOf } from '../supabase/rows'
import { supabase } from '../supabase/server'
import { ORDER_STATUSES, type OrderStatus } from './schema'

const COLUMNS = `id, reference, status, total_minor, currency, created_at, paid_by_payment_id,
  order_lines (position, name, quantity, unit_amount_minor, amount_minor)`

const OrderRow = z.object({
  id: z.uuid(),
  reference: z.string(),
  status: z.enum(ORDER_STATUSES),
  total_minor: z.number().int(),
  currency: z.string(),
  created_at: z.string(),
  paid_by_payment_id: z.uuid().nullable(),
  order_lines: z.array(
    z.object({
      position: z.number(),
      name: z.string(),
      quantity: z.number().int(),
      unit_amount_minor: z.number().int(),
      amount_minor: z.number().int(),
    }),
  ),
})
const PaymentRow = z.object({ id: z.uuid(), status: z.enum(PAYMENT_STATUSES) })

export type OrderView = {
  id: string
  reference: string
  status: OrderStatus
  totalMinor: number
  currency: string
  lines: { name: string; quantity: number; unitAmountMinor: number; amountMinor: number }[]
  createdAt: string
  /** The payment that paid it, else the latest try. */
  payment: { id: string; status: PaymentStatus } | null
  /** Made for the person's address, and not theirs until they take it. */
  waitsForClaim: boolean
}

/**
 * One of the person's own orders, as row-level security shows it to them.
 * @throws AppError not_found, the same for an order that does not exist and one that is somebody else's
 */
export async function getOrder({ orderId }: { user: User; orderId: string }): Promise<OrderView> {
  const id = requireUuid(orderId)
  const client = await supabase()
  const [orders, payments] = await Promise.all([
    client.from('orders').select(COLUMNS).eq('id', id).eq('livemode', env().livemode).limit(1),
    client.from('payments').select('id, status').eq('order_id', id).order('created_at', { ascending: false }),
  ])
  const [order] = rowsOf(OrderRow, orders)
  if (!order) throw new AppError('not_found')
  const tries = rowsOf(PaymentRow, payments)
  return {
    id: order.id,
    reference: order.reference,
    status: order.status,
    totalMinor: order.total_minor,
    currency: order.currency,
    createdAt: order.created_at,
    lines: order.order_lines
      .toSorted((a, b) => a.position - b.position)
      .map((line) => ({
        name: line.name,
        quantity: line.quantity,
        unitAmountMinor: line.unit_amount_minor,
        amountMinor: line.amount_minor,
      })),
    payment: tries.find(({ id: paymentId }) => paymentId === order.paid_by_payment_id) ?? tries[0] ?? null,
    waitsForClaim: false,
  }
}
