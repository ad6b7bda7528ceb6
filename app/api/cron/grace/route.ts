import { requireCron } from '@/lib/auth/require-cron'
import { endGraces } from '@/lib/billing/end-graces'
import { json, route } from '@/lib/http'

/** Note the end of graces that have run out. Called every minute or so by a scheduler that knows CRON_SECRET. */
export const POST = route(async (request) => {
  requireCron(request)

  const ended = await endGraces()

  return json({ ended })
})
