import Stripe from 'stripe'

export type Raised = InstanceType<typeof Stripe.errors.StripeError>

/** The SDK's own errors, made the way it makes them from an answer. */
const answered = (
  statusCode: number,
  type: string,
  more: { code?: string; headers?: Record<string, string> } = {},
) =>
  Stripe.errors.StripeError.generate({
    type: type as 'api_error',
    message: 'simulated',
    statusCode,
    headers: {},
    ...more,
  })

export const errors = {
  connection: (): Raised =>
    new Stripe.errors.StripeConnectionError({ message: 'simulated', type: 'api_error' }),
  rateLimited: (): Raised => answered(429, 'invalid_request_error', { code: 'rate_limit' }),
  internal: (): Raised => answered(500, 'api_error'),
  refused: (code: string): Raised => answered(400, 'invalid_request_error', { code }),
  /** Another request with this key is still being worked on. */
  keyInUse: (): Raised => answered(409, 'idempotency_error', { code: 'idempotency_key_in_use' }),
  keyUsedElsewhere: (): Raised => answered(400, 'idempotency_error'),
}

/** The same failure once more, as an idempotency key repeats it. */
export function replayed(error: Raised): Raised {
  return answered(error.statusCode ?? 500, error.rawType ?? 'api_error', {
    code: error.code,
    headers: { 'idempotent-replayed': 'true' },
  })
}
