import { requireCron } from '@/lib/auth/require-cron'
import { json, route } from '@/lib/http'
import { sweep } from '@/lib/payments/sweep'

/** Finish what was left half-way. Called every few seconds by a scheduler that knows CRON_SECRET. */
export const POST = route(async (request) => {
  requireCron(request)

  return json(await sweep())
})
