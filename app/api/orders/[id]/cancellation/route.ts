import { requireFreshUser } from '@/lib/auth/session'
import { json, requireUuid, route } from '@/lib/http'
import { cancelOrder } from '@/lib/orders/cancel-order'

/** Cancel an order that is not paid. Repeating it changes nothing. 202: Stripe has yet to say that its payment is cancelled. */
export const POST = route(async (_request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireFreshUser()
  const orderId = requireUuid((await params).id)

  const { status } = await cancelOrder({ user, orderId })

  return json({ order: { id: orderId, status } }, status === 'open' ? 202 : 200)
})
