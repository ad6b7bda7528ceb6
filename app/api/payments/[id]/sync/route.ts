import { requireFreshUser } from '@/lib/auth/session'
import { json, route } from '@/lib/http'
import { getPayment } from '@/lib/payments/get-payment'
import { refreshPayment } from '@/lib/payments/refresh-payment'

/** Ask Stripe about a payment now, for a result page whose webhook is late. */
export const POST = route(async (_request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireFreshUser()
  const { id } = await params

  await refreshPayment({ user, paymentId: id })

  return json({ payment: await getPayment({ user, paymentId: id }) })
})
