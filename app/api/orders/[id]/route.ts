import { requireApiKey } from '@/lib/auth/require-api-key'
import { json, requireUuid, route } from '@/lib/http'
import { getApiOrder } from '@/lib/orders/get-api-order'

/** What became of an order, for the system that placed it. */
export const GET = route(async (request, { params }: { params: Promise<{ id: string }> }) => {
  const caller = await requireApiKey(request, 'orders:read')
  const orderId = requireUuid((await params).id)

  return json({ order: await getApiOrder({ caller, orderId }) })
})
