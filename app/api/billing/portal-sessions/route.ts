import { requireFreshUser } from '@/lib/auth/session'
import { openPortal } from '@/lib/billing/open-portal'
import { json, route } from '@/lib/http'

/** Open Stripe's portal for the person: answers where it is. */
export const POST = route(async () => {
  const user = await requireFreshUser()

  return json(await openPortal({ user }), 201)
})
