import 'server-only'
import { z } from 'zod'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { StaffRole } from './schema'

const Members = z.array(z.object({ userId: z.uuid(), role: StaffRole, since: z.string() }))

/** Who has which role on our side. @throws AppError forbidden */
export async function listStaff({ staff }: { staff: Staff }): Promise<z.infer<typeof Members>> {
  return Members.parse(await inWords(callService('list_staff', { p_actor: staff.id })))
}
