import { requireCron } from '@/lib/auth/require-cron'
import { json, route } from '@/lib/http'
import { checkExpiry } from '@/lib/payment-methods/check-expiry'

/** Tell people whose saved cards end soon. Called every hour or so by a scheduler that knows CRON_SECRET. */
export const POST = route(async (request) => {
  requireCron(request)

  return json(await checkExpiry())
})
