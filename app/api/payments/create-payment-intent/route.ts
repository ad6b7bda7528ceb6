import { requireFreshUser } from '@/lib/auth/session'
import { clientAddress } from '@/lib/edge/client-address'
import { env } from '@/lib/env'
import { json, readJson, requireIdempotencyKey, route } from '@/lib/http'
import { createPayment } from '@/lib/payments/create-payment'
import { CreatePaymentInput } from '@/lib/payments/schema'

/** Start paying an order. The same Idempotency-Key always gets the same payment. */
export const POST = route(async (request) => {
  const user = await requireFreshUser()
  const key = requireIdempotencyKey(request)
  const input = await readJson(request, CreatePaymentInput)
  const address = clientAddress(request.headers, env().trustedProxyHops)

  const payment = await createPayment({ user, key, input, address })

  return json(payment, 201)
})
