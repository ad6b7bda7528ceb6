import 'server-only'
import { z } from 'zod'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { log } from '../log'
import { StaffRole, type StaffRoleInput } from './schema'

const Member = z.object({ userId: z.uuid(), role: StaffRole.nullable() })

/**
 * Give somebody a role, or take it away. It holds from their next request on.
 * @throws AppError forbidden, not_found, last_admin
 */
export async function setStaffRole({
  staff,
  userId,
  input,
}: {
  staff: Staff
  userId: string
  input: StaffRoleInput
}): Promise<z.infer<typeof Member>> {
  const member = await inWords(
    callService('set_staff_role', {
      p_actor: staff.id,
      p_user_id: userId,
      p_role: input.role,
      p_reason: input.reason,
    }),
    { '55000': 'last_admin' },
  )
  log.security('staff_action', { action: 'set_role', name: input.role ?? 'none' })
  return Member.parse(member)
}
