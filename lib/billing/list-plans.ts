import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'

export const Plan = z.object({
  id: z.uuid(),
  group: z.string(),
  tier: z.enum(['basic', 'premium', 'exclusive', 'elite']),
  name: z.string(),
  description: z.string(),
  amountMinor: z.number().int(),
  currency: z.string(),
  interval: z.enum(['month', 'year']),
  /** What stands for it at Stripe; null until somebody needs it. */
  price: z.string().nullable(),
  product: z.string().nullable(),
})
export type Plan = z.infer<typeof Plan>

/** What can be subscribed to, in the order it is shown. */
export async function listPlans(): Promise<Plan[]> {
  return z.array(Plan).parse(await callService('list_plans', { p_livemode: env().livemode }))
}
