import 'server-only'
import type { ApiCaller } from '../auth/require-api-key'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { type ApiOrder, toApiOrder } from './api-order'

/**
 * An order that the asking system made, under this key or another of its keys.
 * @throws AppError not_found, the same for an order that does not exist and one of somebody else
 */
export async function getApiOrder({
  caller,
  orderId,
}: {
  caller: ApiCaller
  orderId: string
}): Promise<ApiOrder> {
  const order = await inWords(
    callService('get_api_order', {
      p_api_key_id: caller.id,
      p_livemode: env().livemode,
      p_order_id: orderId,
    }),
  )
  return toApiOrder(order)
}
