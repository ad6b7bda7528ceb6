import { type AppError, type ErrorCode, isAppError } from './errors'
import { errorFields, log } from './log'
import type { LogFields } from './log-fields'

/** Refusals that are security events. Each is written here and nowhere else, so that there is one record of each. */
const SECURITY_EVENTS: Partial<Record<ErrorCode, string>> = {
  wrong_credentials: 'sign_in_failed',
  link_expired: 'link_refused',
  sign_in_required: 'authorization_denied',
  not_authorized: 'authorization_denied',
  forbidden: 'authorization_denied',
  foreign_origin: 'foreign_origin_refused',
  invalid_signature: 'signature_refused',
  confirm_password: 'authorization_denied',
  too_many_requests: 'limit_hit',
  too_many_sign_ins: 'limit_hit',
  too_many_attempts: 'limit_hit',
  too_many_failures: 'limit_hit',
}

/** Write down why a request was not answered as it was meant: a fault of ours, a refusal that matters, or nothing at all. */
export function logFailure(
  handler: string,
  known: AppError,
  error: unknown,
  where: Pick<LogFields, 'route' | 'method' | 'digest' | 'window'> = {},
): void {
  const reason = known.reason() ?? error
  const event = SECURITY_EVENTS[known.code]
  if (known.status >= 500) {
    log.error('request_failed', {
      handler,
      ...where,
      ...errorFields(reason),
      code: known.code,
      ...causeOf(reason),
    })
  } else if (event) {
    log.security(event, { handler, ...where, code: known.code, ...causeOf(known.reason()) })
  }
}

/** The code of what lay below: of Supabase, Stripe or the database. */
function causeOf(reason: unknown): { cause?: string } {
  if (isAppError(reason) || typeof reason !== 'object' || reason === null || !('code' in reason)) return {}
  return typeof reason.code === 'string' ? { cause: reason.code } : {}
}
