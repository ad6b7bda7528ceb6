import { requireRecentStaff } from '@/lib/auth/require-staff'
import { json, readJson, requireUuid, route } from '@/lib/http'
import { cancelPaymentRequest } from '@/lib/payment-requests/cancel-payment-request'
import { CancellationInput } from '@/lib/payment-requests/schema'

/** Take a request back. Repeating it changes nothing. 202: Stripe has yet to say that its payment is cancelled. */
export const POST = route(async (request, { params }: { params: Promise<{ id: string }> }) => {
  const staff = await requireRecentStaff('support', 'admin')
  const orderId = requireUuid((await params).id)
  const input = await readJson(request, CancellationInput)

  const { status } = await cancelPaymentRequest({ staff, orderId, input })

  return json({ order: { id: orderId, status } }, status === 'open' ? 202 : 200)
})
