import { requireFreshUser, requireUser } from '@/lib/auth/session'
import { clientAddress } from '@/lib/edge/client-address'
import { env } from '@/lib/env'
import { json, readJson, requireIdempotencyKey, route } from '@/lib/http'
import { addCard } from '@/lib/payment-methods/add-card'
import { listCards } from '@/lib/payment-methods/list-cards'
import { AddCardInput } from '@/lib/payment-methods/schema'

/** The signed-in person's saved cards, as Stripe has them now. */
export const GET = route(async () => {
  const user = await requireUser()

  return json({ cards: await listCards({ user }) })
})

/** Begin to save a card. Answers with what Stripe's fields need to take it; the number never comes here. */
export const POST = route(async (request) => {
  const user = await requireFreshUser()
  const key = requireIdempotencyKey(request)
  await readJson(request, AddCardInput)
  const address = clientAddress(request.headers, env().trustedProxyHops)

  return json(await addCard({ user, key, address }), 201)
})
