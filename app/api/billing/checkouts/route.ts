import { requireFreshUser } from '@/lib/auth/session'
import { SubscribeInput } from '@/lib/billing/schema'
import { subscribe } from '@/lib/billing/subscribe'
import { json, readJson, route } from '@/lib/http'

/** Begin to subscribe to a plan: answers where. Asked again, from wherever, the same page as long as it is open. */
export const POST = route(async (request) => {
  const user = await requireFreshUser()
  const { planId } = await readJson(request, SubscribeInput)

  return json(await subscribe({ user, planId }), 201)
})
