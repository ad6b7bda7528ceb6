import { requireFreshUser } from '@/lib/auth/session'
import { json, route } from '@/lib/http'
import { makeDefault } from '@/lib/payment-methods/make-default'

/** Make one of the signed-in person's cards the one that is charged by itself. */
export const PUT = route(async (_request, { params }: { params: Promise<{ id: string }> }) => {
  const user = await requireFreshUser()

  const { id } = await params
  await makeDefault({ user, cardId: id })
  return json({ card: { id, isDefault: true } })
})
