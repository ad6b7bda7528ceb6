import type Stripe from 'stripe'

/** The `error` field of an answer (stripe.R1). stripe-node takes any other shape for success (stripe.N1). */
export type ErrorBody = {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
  message: string
  code?: string
  param?: string
  decline_code?: string
  doc_url?: string
  request_log_url?: string
  charge?: string
  payment_intent?: Partial<Stripe.PaymentIntent>
  setup_intent?: Partial<Stripe.SetupIntent>
  payment_method?: Stripe.PaymentMethod
  payment_method_type?: string
}

export class StripeError extends Error {
  override readonly name = 'StripeError'
  readonly status: number
  readonly body: ErrorBody
  /** What happened before the error stays: a declined charge is recorded. Otherwise the call leaves nothing behind. */
  readonly keepsChanges: boolean
  /** The request never began: its idempotency key may be used again (stripe.I5). */
  readonly beforeExecution: boolean

  constructor(
    status: number,
    body: ErrorBody,
    {
      keepsChanges = false,
      beforeExecution = false,
    }: { keepsChanges?: boolean; beforeExecution?: boolean } = {},
  ) {
    super(body.message)
    this.status = status
    this.body = { ...body, ...(body.code ? { doc_url: docUrl(body.code) } : {}) }
    this.keepsChanges = keepsChanges
    this.beforeExecution = beforeExecution
  }
}

export function docUrl(code: string): string {
  return `https://docs.stripe.com/error-codes#${code.replaceAll('_', '-')}`
}

/** The parameters are wrong by themselves, whatever exists: 400, and the idempotency key stays free. */
export function invalidParameter(param: string, message: string, code?: string): StripeError {
  return new StripeError(
    400,
    { type: 'invalid_request_error', message, param, ...(code ? { code } : {}) },
    { beforeExecution: true },
  )
}

export function missingParameter(param: string): StripeError {
  return invalidParameter(param, `Missing required param: ${param}.`, 'parameter_missing')
}

export function unknownParameter(param: string): StripeError {
  return invalidParameter(param, `Received unknown parameter: ${param}`, 'parameter_unknown')
}

/** Stripe knows it, this stand-in does not: say so instead of doing something else silently. */
export function unsupportedParameter(param: string, reason = ''): StripeError {
  return invalidParameter(
    param,
    `local stand-in: parameter ${param} is not supported${reason ? `: ${reason}` : ''}`,
  )
}

export function unknownRoute(method: string, path: string): StripeError {
  return new StripeError(
    404,
    {
      type: 'invalid_request_error',
      message: `Unrecognized request URL (${method}: ${path}). If it is an address that Stripe has, this local stand-in does not have it.`,
    },
    { beforeExecution: true },
  )
}

export function unauthorized(message: string, code?: string): StripeError {
  return new StripeError(
    401,
    { type: 'invalid_request_error', message, ...(code ? { code } : {}) },
    { beforeExecution: true },
  )
}

export function forbidden(message: string): StripeError {
  return new StripeError(403, { type: 'invalid_request_error', message }, { beforeExecution: true })
}

/** 404 for the object in the address, 400 for one named in a parameter (stripe.R5). */
export function noSuch(what: string, id: string, param: string, status: 400 | 404): StripeError {
  return new StripeError(status, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message: `No such ${what}: '${id}'`,
    param,
  })
}
