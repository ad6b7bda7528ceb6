import { endOldSessions } from '@/lib/auth/end-old-sessions'
import { requireCron } from '@/lib/auth/require-cron'
import { json, route } from '@/lib/http'

/** End sessions that are over at Auth too. Called every minute or so by a scheduler that knows CRON_SECRET. */
export const POST = route(async (request) => {
  requireCron(request)

  const ended = await endOldSessions()

  return json({ ended })
})
