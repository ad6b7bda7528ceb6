import { requireUser } from '@/lib/auth/session'
import { json, route } from '@/lib/http'
import { openCardChoice } from '@/lib/payment-methods/open-card-choice'

/** Let Stripe's fields offer the signed-in person their saved cards. */
export const POST = route(async () => {
  const user = await requireUser()

  return json({ clientSecret: await openCardChoice({ user }) }, 201)
})
