import { z } from 'zod'
import { Reason } from '../staff/schema'

export const LimitRule = z.enum([
  'amount_min',
  'amount_max',
  'sum_day',
  'sum_month',
  'attempts_customer',
  'attempts_address',
  'failures_payment',
  'failures_customer',
  'failures_card',
  'failures_address',
  'countries_allowed',
  'countries_denied',
])
export type LimitRule = z.infer<typeof LimitRule>

const LIMIT = {
  /** `*`: every currency without a row of its own, and rules that know no currency. */
  currency: z.string().regex(/^([a-z]{3}|\*)$/),
  /** Minor units, or how many. Null: no limit. */
  value: z.number().int().nonnegative().nullable(),
  windowSeconds: z.number().int().positive().nullable(),
  countries: z
    .array(z.string().regex(/^[A-Z]{2}$/))
    .max(300)
    .nullable(),
  /** Of the limit as it was looked at; 0 for a currency that has none yet. */
  version: z.number().int().nonnegative(),
}

/** Which of them a rule takes is the database's to say: `amount_max` has no window, `countries_denied` no value. */
export const LimitInput = z.strictObject({
  ...LIMIT,
  currency: LIMIT.currency.default('*'),
  value: LIMIT.value.default(null),
  windowSeconds: LIMIT.windowSeconds.default(null),
  countries: LIMIT.countries.default(null),
  reason: Reason,
})
export type LimitInput = z.infer<typeof LimitInput>

export const Limit = z.object({
  rule: LimitRule,
  ...LIMIT,
  changedAt: z.string(),
  changedBy: z.uuid().nullable(),
})
export type Limit = z.infer<typeof Limit>
