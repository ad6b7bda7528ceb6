import { requireStaff } from '@/lib/auth/require-staff'
import { AppError } from '@/lib/errors'
import { json, route } from '@/lib/http'
import { InboxInput } from '@/lib/payments/event-schema'
import { listEvents } from '@/lib/payments/list-events'

/** What Stripe has told us, newest first: `?status=parked`, `?type=`, `?limit=` up to 100, `?cursor=` from the page before. */
export const GET = route(async (request) => {
  const staff = await requireStaff('support', 'admin', 'auditor')
  const input = InboxInput.safeParse(Object.fromEntries(new URL(request.url).searchParams))
  if (!input.success) throw new AppError('bad_request')

  return json(await listEvents({ staff, ...input.data }))
})
