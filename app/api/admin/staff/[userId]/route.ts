import { requireRecentStaff } from '@/lib/auth/require-staff'
import { json, readJson, requireUuid, route } from '@/lib/http'
import { StaffRoleInput } from '@/lib/staff/schema'
import { setStaffRole } from '@/lib/staff/set-staff-role'

/** Give somebody a role, another one, or none. It holds from their next request on. */
export const PUT = route(async (request, { params }: { params: Promise<{ userId: string }> }) => {
  const staff = await requireRecentStaff('admin')
  const userId = requireUuid((await params).userId)
  const input = await readJson(request, StaffRoleInput)

  return json({ member: await setStaffRole({ staff, userId, input }) })
})
