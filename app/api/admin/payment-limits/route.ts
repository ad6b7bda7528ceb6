import { requireStaff } from '@/lib/auth/require-staff'
import { json, route } from '@/lib/http'
import { listLimits } from '@/lib/limits/list-limits'

/** What one payment, person, card and network may do at the moment. */
export const GET = route(async () => {
  const staff = await requireStaff('support', 'admin', 'auditor')

  return json({ limits: await listLimits({ staff }) })
})
