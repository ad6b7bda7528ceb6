import { requireRecentStaff } from '@/lib/auth/require-staff'
import { json, readJson, requireIdempotencyKey, requireUuid, route } from '@/lib/http'
import { refundPayment } from '@/lib/payments/refund-payment'
import { RefundPaymentInput } from '@/lib/payments/schema'

/** Give money back. For staff with the role support or admin; the database checks it as well. */
export const POST = route(async (request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireRecentStaff('support', 'admin')
  const key = requireIdempotencyKey(request)
  const paymentId = requireUuid((await params).id)
  const input = await readJson(request, RefundPaymentInput)

  const { id, amountMinor, currency, status } = await refundPayment({ user, key, paymentId, input })

  return json({ refund: { id, amountMinor, currency, status } }, 201)
})
