import 'server-only'
import type { Staff } from '../auth/require-staff'
import { callService } from '../db/sql'
import { env } from '../env'
import { log } from '../log'
import { closeOrder } from '../orders/cancel-order'
import type { OrderStatus } from '../orders/schema'
import type { CancellationInput } from './schema'

/**
 * Take a request back. A payment that is open is cancelled at Stripe first; one that was quicker wins.
 * @throws AppError forbidden, not_found; order_settled when it is paid or has expired
 */
export async function cancelPaymentRequest({
  staff,
  orderId,
  input,
}: {
  staff: Staff
  orderId: string
  input: CancellationInput
}): Promise<{ status: OrderStatus }> {
  const closed = await closeOrder(() =>
    callService('cancel_payment_request', {
      p_actor: staff.id,
      p_livemode: env().livemode,
      p_order_id: orderId,
      p_reason: input.reason,
    }),
  )
  log.security('staff_action', { action: 'cancel_payment_request', orderId })
  return closed
}
