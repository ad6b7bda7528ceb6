import { requireRecentStaff } from '@/lib/auth/require-staff'
import { json, readJson, route } from '@/lib/http'
import { ReplayInput } from '@/lib/payments/event-schema'
import { replayEvents } from '@/lib/payments/replay-events'

/** Have one event applied again, or a range; a range is for admins, as the database checks. */
export const POST = route(async (request) => {
  const staff = await requireRecentStaff('support', 'admin')
  const input = await readJson(request, ReplayInput)

  return json({ replay: await replayEvents({ staff, input }) }, 201)
})
