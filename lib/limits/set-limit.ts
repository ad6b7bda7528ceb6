import 'server-only'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { log } from '../log'
import { Limit, type LimitInput, type LimitRule } from './schema'

/**
 * Set one limit. It holds for the next payment that is opened.
 * @throws AppError forbidden unless the person is an admin; bad_request for what the rule does not take; changed_meanwhile
 */
export async function setLimit({
  staff,
  rule,
  input,
}: {
  staff: Staff
  rule: LimitRule
  input: LimitInput
}): Promise<Limit> {
  const limit = await inWords(
    callService('change_payment_limit', {
      p_actor: staff.id,
      p_rule: rule,
      p_currency: input.currency,
      p_value: input.value,
      p_window_seconds: input.windowSeconds,
      p_countries: input.countries && { json: input.countries },
      p_version: input.version,
      p_reason: input.reason,
    }),
    { PW012: 'changed_meanwhile' },
  )
  log.security('staff_action', { action: 'set_limit', name: rule })
  return Limit.parse(limit)
}
