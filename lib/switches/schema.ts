import { z } from 'zod'
import { Reason } from '../staff/schema'

/** What can be stopped at once: new payments, refunds, new accounts. */
export const SwitchName = z.enum(['payments', 'refunds', 'sign_ups'])
export type SwitchName = z.infer<typeof SwitchName>

export const SwitchInput = z.strictObject({ on: z.boolean(), reason: Reason })
export type SwitchInput = z.infer<typeof SwitchInput>

export const Switches = z.array(
  z.object({
    name: SwitchName,
    on: z.boolean(),
    reason: z.string().nullable(),
    changedAt: z.string().nullable(),
    changedBy: z.uuid().nullable(),
  }),
)
export type Switches = z.infer<typeof Switches>
