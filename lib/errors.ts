import { currentRequest } from './request-context'

/** Every failure a client may be told of: its status and its words. Nothing else ever leaves the server. */
const ERRORS = {
  bad_request: [400, 'The request is not understood.'],
  card_number_refused: [
    400,
    'This looks like a card number. Card numbers are entered on the payment form only, never sent to us.',
  ],
  idempotency_key_required: [400, 'An Idempotency-Key header of 1 to 255 printable characters is required.'],
  invalid_signature: [400, 'The signature is not valid.'],
  sign_in_required: [401, 'Please sign in.'],
  wrong_credentials: [401, 'The e-mail address or the password is not right.'],
  not_authorized: [401, 'Not authorized.'],
  proof_too_old: [401, 'Please confirm your password first.'],
  confirm_password: [403, 'Please confirm your password first.'],
  forbidden: [403, 'This is not allowed.'],
  foreign_origin: [403, 'The request did not come from this site.'],
  link_expired: [410, 'This link has expired or was used already. Please ask for a new one.'],
  not_found: [404, 'There is nothing here.'],
  body_too_slow: [408, 'The request did not arrive in time.'],
  order_not_payable: [409, 'This order cannot be paid any more.'],
  order_settled: [409, 'This order is paid or closed already.'],
  subscribed_already: [
    409,
    'You have a subscription already. You can change its plan on your subscription page.',
  ],
  not_refundable: [409, 'This payment cannot be refunded now: nothing was paid, or a dispute is open.'],
  not_replayable: [409, 'This event cannot be replayed: what it said is not kept any more.'],
  last_admin: [409, 'Somebody has to stay admin.'],
  changed_meanwhile: [409, 'Somebody else has changed this meanwhile. Please look at it again.'],
  payment_open: [409, 'A payment of yours is not finished. Pay it or cancel its order first.'],
  refund_open: [409, 'A refund is on its way to you. Please wait until it has arrived.'],
  dispute_open: [409, 'A payment of yours is disputed. Please wait until your bank has decided.'],
  subscription_live: [409, 'You have a subscription, or are about to. Please wait until it has ended.'],
  still_staff: [409, 'You work here. Have your role taken away first.'],
  already_running: [409, 'Another run of this job is going on.'],
  body_too_large: [413, 'The request is too large.'],
  unsupported_type: [415, 'The request must be JSON.'],
  idempotency_key_reused: [422, 'This Idempotency-Key was used with other input.'],
  amount_too_small: [422, 'This is less than we can take in one payment in this currency.'],
  amount_too_large: [422, 'This is more than we can take in one payment. Please get in touch with us.'],
  daily_limit_reached: [
    422,
    'With this order you would pay more than is possible within a day. Please try again later.',
  ],
  monthly_limit_reached: [
    422,
    'With this order you would pay more than is possible within a month. Please get in touch with us.',
  ],
  payment_refused: [422, 'This payment cannot be made.'],
  refund_too_large: [422, 'That is more than is left to refund.'],
  customer_unknown: [422, 'No customer with an account has this id.'],
  product_unknown: [422, 'A product on this order is not for sale.'],
  currencies_differ: [422, 'The products on one order must have one currency.'],
  range_too_large: [422, 'This range holds more than 1000 events. Choose a shorter one.'],
  refund_refused: [422, 'Our payment provider refused this refund. Nothing was sent back.'],
  weak_password: [422, 'Choose a password of 12 characters or more that is hard to guess.'],
  too_many_requests: [429, 'Too many requests. Please wait a moment.'],
  too_many_exports: [429, 'You have taken your data along three times today. Please try again tomorrow.'],
  too_many_sign_ins: [
    429,
    'Too many attempts to sign in. Please wait a few minutes, or have a link mailed to you: “Forgotten your password?”',
  ],
  too_many_attempts: [
    429,
    'Many payments were started in a short time. Please wait before you start another.',
  ],
  too_many_card_failures: [429, 'Several cards were not accepted. Please wait before you try another.'],
  too_many_failures: [429, 'Several payments did not go through. Please wait before you try again.'],
  internal: [500, 'Something went wrong on our side.'],
  provider_unavailable: [
    503,
    'We could not reach our payment provider. Nothing was charged twice; please try again.',
  ],
  payments_paused: [503, 'Payments are paused at the moment. Nothing was charged.'],
  refunds_paused: [503, 'Refunds are paused at the moment. Nothing was sent back.'],
  sign_ups_paused: [503, 'New accounts cannot be made at the moment. Please try again later.'],
  unavailable: [503, 'The service is not available right now. Please try again.'],
} as const satisfies Record<string, readonly [number, string]>

export type ErrorCode = keyof typeof ERRORS

/**
 * A failure we expected and can put into words. `retryAfterSeconds` becomes the Retry-After header. What caused it is kept
 * where no printing of the error shows it: Next writes errors of pages to the log as they are, and causes carry values.
 */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly retryAfterSeconds: number | null
  /** What Next shows on an error page as the number to quote: the request's, not a hash of its own. */
  readonly digest: string | undefined
  readonly #reason: unknown

  constructor(code: ErrorCode, options: { cause?: unknown; retryAfterSeconds?: number } = {}) {
    super(ERRORS[code][1])
    this.name = 'AppError'
    this.code = code
    this.status = ERRORS[code][0]
    this.retryAfterSeconds = options.retryAfterSeconds ?? null
    this.digest = currentRequest()?.requestId
    this.#reason = options.cause
  }

  /** What led to it, for errorFields() and nobody else. */
  reason(): unknown {
    return this.#reason
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return hasOurForm(error) && (code === undefined || error.code === code)
}

/** The bundler gives the start hook a class of its own, so this does not ask for the class. */
function hasOurForm(error: unknown): error is AppError {
  return error instanceof Error && error.name === 'AppError' && 'reason' in error
}
