import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService, databaseCode } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { carryOutDecisionOn } from '../payments/carry-out-decisions'
import { ORDER_STATUSES, type OrderStatus } from './schema'

const Closing = z.object({ status: z.enum(ORDER_STATUSES), intentIds: z.array(z.string()) })

/**
 * Cancel an order that is not paid. A payment that is open could succeed at any moment, so it is cancelled at Stripe first
 * and the order follows; when Stripe cannot be asked now the order is still `open`, takes no new payment, and the sweeper
 * goes on. A payment that was quicker wins.
 * @throws AppError not_found; order_settled when it is paid or has expired
 */
export async function cancelOrder({
  user,
  orderId,
}: {
  user: User
  orderId: string
}): Promise<{ status: OrderStatus }> {
  const closing = await cancel(user, orderId)
  for (const intentId of closing.intentIds) await carryOutDecisionOn(intentId, 'app')
  return closing.intentIds.length === 0 ? closing : await cancel(user, orderId)
}

async function cancel(user: User, orderId: string): Promise<z.infer<typeof Closing>> {
  try {
    const closing = await callService('cancel_order', {
      p_actor: user.id,
      p_livemode: env().livemode,
      p_order_id: orderId,
    })
    return Closing.parse(closing)
  } catch (error) {
    if (databaseCode(error) === 'P0002') throw new AppError('not_found', { cause: error })
    if (databaseCode(error) === '55000') throw new AppError('order_settled', { cause: error })
    throw error
  }
}
