import 'server-only'
import { callService } from '../db/sql'
import { AppError } from '../errors'
import { StaffRole } from '../staff/schema'
import { requireFreshUser, requireRecentSignIn, type User } from './session'

export type Staff = User & { role: StaffRole }
type Roles = [StaffRole, ...StaffRole[]]

/**
 * A member of staff with one of these roles, as the database has them now. This refuses early and in words; every function of
 * the database that acts for staff checks the role again where it reads or writes.
 * @throws AppError sign_in_required, forbidden, unavailable
 */
export async function requireStaff(...roles: Roles): Promise<Staff> {
  return await inRole(await requireFreshUser(), roles)
}

/**
 * The same for whatever changes something: the person has given their password within the last minutes, too.
 * @throws AppError confirm_password, besides what requireStaff throws
 */
export async function requireRecentStaff(...roles: Roles): Promise<Staff> {
  return await inRole(await requireRecentSignIn(), roles)
}

async function inRole({ id, email }: User, roles: Roles): Promise<Staff> {
  const role = StaffRole.nullable().parse(await callService('staff_role', { p_actor: id }))
  if (role === null || !roles.includes(role)) throw new AppError('forbidden')
  return { id, email, role }
}
