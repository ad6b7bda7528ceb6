import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { carryOutDecisionOn } from '../payments/carry-out-decisions'
import { ORDER_STATUSES, type OrderStatus } from './schema'

const Closing = z.object({ status: z.enum(ORDER_STATUSES), intentIds: z.array(z.string()) })

/**
 * Cancel an order that is not paid.
 * @throws AppError not_found; order_settled when it is paid or has expired
 */
export async function cancelOrder({
  user,
  orderId,
}: {
  user: User
  orderId: string
}): Promise<{ status: OrderStatus }> {
  return await closeOrder(() =>
    callService('cancel_order', { p_actor: user.id, p_livemode: env().livemode, p_order_id: orderId }),
  )
}

/**
 * A payment that is open could succeed at any moment, so it is cancelled at Stripe first and the order follows; when Stripe
 * cannot be asked now the order is still `open`, takes no new payment, and the sweeper goes on. A payment that was quicker wins.
 * @param cancel asks the database, which answers as service.cancel_order does; asked again once Stripe has been
 * @throws AppError not_found; order_settled when it is paid or has expired; forbidden
 */
export async function closeOrder(cancel: () => Promise<unknown>): Promise<{ status: OrderStatus }> {
  const ask = async () => Closing.parse(await inWords(cancel(), { '55000': 'order_settled' }))
  const closing = await ask()
  for (const intentId of closing.intentIds) await carryOutDecisionOn(intentId, 'app')
  return closing.intentIds.length === 0 ? closing : await ask()
}
