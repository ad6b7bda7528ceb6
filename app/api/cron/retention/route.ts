import { requireCron } from '@/lib/auth/require-cron'
import { json, route } from '@/lib/http'
import { retain } from '@/lib/privacy/retain'

/** End what has been kept long enough. Called every hour or so by a scheduler that knows CRON_SECRET. 409: another run is going on. */
export const POST = route(async (request) => {
  requireCron(request)

  return json(await retain())
})
