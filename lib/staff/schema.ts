import { z } from 'zod'

export const StaffRole = z.enum(['support', 'admin', 'auditor'])
export type StaffRole = z.infer<typeof StaffRole>

/** Why somebody does what will be in the audit log under their id. It is kept for ever: no names, no addresses. */
export const Reason = z.string().trim().min(5).max(500)

/** Null takes the role away. */
export const StaffRoleInput = z.strictObject({ role: StaffRole.nullable(), reason: Reason })
export type StaffRoleInput = z.infer<typeof StaffRoleInput>
