import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { env } from '../env'
import { OrderRow } from './api-order'
import type { OrderView } from './get-order'

const Requested = OrderRow.pick({
  id: true,
  reference: true,
  status: true,
  totalMinor: true,
  currency: true,
  createdAt: true,
  lines: true,
}).nullable()

/** An order that was made for the person's confirmed address and that nobody has taken yet, or null. Looking changes nothing. */
export async function findRequestedOrder({
  user,
  orderId,
}: {
  user: User
  orderId: string
}): Promise<OrderView | null> {
  if (!z.uuid().safeParse(orderId).success) return null
  const order = Requested.parse(
    await callService('requested_order', {
      p_actor: user.id,
      p_livemode: env().livemode,
      p_order_id: orderId.toLowerCase(),
    }),
  )
  return order && { ...order, payment: null, waitsForClaim: true }
}
