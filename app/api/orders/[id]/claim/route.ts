import { requireFreshUser } from '@/lib/auth/session'
import { json, requireUuid, route } from '@/lib/http'
import { claimOrder } from '@/lib/orders/claim-order'

/** Take an order that was made for one's e-mail address. Repeating it changes nothing. */
export const POST = route(async (_request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireFreshUser()
  const orderId = requireUuid((await params).id)

  await claimOrder({ user, orderId })

  return json({ order: { id: orderId, status: 'open' } })
})
