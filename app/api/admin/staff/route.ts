import { requireStaff } from '@/lib/auth/require-staff'
import { json, route } from '@/lib/http'
import { listStaff } from '@/lib/staff/list-staff'

/** Who has which role on our side. */
export const GET = route(async () => {
  const staff = await requireStaff('admin', 'auditor')

  return json({ staff: await listStaff({ staff }) })
})
