import { requireRecentSignIn } from '@/lib/auth/session'
import { json, readJson, route } from '@/lib/http'
import { eraseAccount } from '@/lib/privacy/erase-account'
import { ErasureInput } from '@/lib/privacy/schema'
import { forgetSession } from '@/lib/supabase/server'

/**
 * Delete the signed-in person's account. The password of the last ten minutes is wanted. 409 says what has to come to its end first:
 * a payment, a refund, a dispute, a subscription.
 */
export const POST = route(async (request) => {
  const user = await requireRecentSignIn('proof_too_old')
  await readJson(request, ErasureInput)

  await eraseAccount({ user })

  await forgetSession()
  return json({ erased: true })
})
