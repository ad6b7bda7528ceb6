import { requireStaff } from '@/lib/auth/require-staff'
import { json, route } from '@/lib/http'
import { listSwitches } from '@/lib/switches/list-switches'

/** What is switched off at the moment, by whom and why. */
export const GET = route(async () => {
  const staff = await requireStaff('support', 'admin', 'auditor')

  return json({ switches: await listSwitches({ staff }) })
})
