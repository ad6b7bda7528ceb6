import { requireFreshUser } from '@/lib/auth/session'
import { json, route } from '@/lib/http'
import { removeCard } from '@/lib/payment-methods/remove-card'

/** Remove one of the signed-in person's cards. */
export const DELETE = route(async (_request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireFreshUser()

  const { id } = await params
  await removeCard({ user, cardId: id })
  return json({ card: { id } })
})
