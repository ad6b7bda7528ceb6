import { limitPerson, SYNCING } from '@/lib/auth/limit-person'
import { requireFreshUser } from '@/lib/auth/session'
import { json, requireSameOrigin, route } from '@/lib/http'
import { getPayment } from '@/lib/payments/get-payment'
import { refreshPayment } from '@/lib/payments/refresh-payment'

/** Ask Stripe about a payment now, for a result page whose webhook is late. */
export const POST = route(async (request, { params }: { params: Promise<{ id: string }> }) => {
  requireSameOrigin(request)
  const user = await requireFreshUser()
  await limitPerson(user, SYNCING)
  const { id } = await params

  await refreshPayment({ user, paymentId: id })

  return json({ payment: await getPayment({ user, paymentId: id }) })
})
