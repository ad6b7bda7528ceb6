import { sealAndPublish } from '@/lib/audit/seal'
import { requireCron } from '@/lib/auth/require-cron'
import { json, route } from '@/lib/http'

/**
 * Seal the audit log and publish its head. Called every minute or so by a scheduler that knows CRON_SECRET. Answers 500
 * when the log no longer contains what was published before, so that whoever watches the job hears of it.
 */
export const POST = route(async (request) => {
  requireCron(request)

  const sealed = await sealAndPublish()

  return json(sealed, sealed.headHolds ? 200 : 500)
})
