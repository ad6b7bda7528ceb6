import { requireApiKey } from '@/lib/auth/require-api-key'
import { json, readJson, requireIdempotencyKey, route } from '@/lib/http'
import { ApiOrderInput } from '@/lib/orders/api-order'
import { createApiOrder } from '@/lib/orders/create-api-order'

/** Another system places an order for one of our customers. The same Idempotency-Key always gets the same order. */
export const POST = route(async (request) => {
  const caller = await requireApiKey(request, 'orders:create')
  const key = requireIdempotencyKey(request)
  const input = await readJson(request, ApiOrderInput)

  return json({ order: await createApiOrder({ caller, key, input }) }, 201)
})
