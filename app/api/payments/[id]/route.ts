import { requireUser } from '@/lib/auth/session'
import { json, route } from '@/lib/http'
import { getPayment } from '@/lib/payments/get-payment'

/** One of the signed-in person's payments, as we know it. Asking changes nothing. */
export const GET = route(async (_request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireUser()

  return json({ payment: await getPayment({ user, paymentId: (await params).id }) })
})
