import { requireCron } from '@/lib/auth/require-cron'
import { json, route } from '@/lib/http'
import { sendMails } from '@/lib/mails/send-mails'

/** Send the mails that are owed. Called every few seconds by a scheduler that knows CRON_SECRET. 409: another run is going on. */
export const POST = route(async (request) => {
  requireCron(request)

  return json(await sendMails())
})
