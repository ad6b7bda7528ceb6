import type { PaymentStatus } from '@/lib/payments/status'

/** The payment our server opened, or found open, for an order. */
export type StartedPayment = {
  id: string
  status: PaymentStatus
  clientSecret: string | null
  amountMinor: number
  currency: string
}

/** Why there is no payment to go on with, in terms of what the customer can do. */
export type StartFailure =
  | { kind: 'wait'; message: string; seconds: number; requestId: string | null }
  | { kind: 'unavailable'; requestId: string | null }
  | { kind: 'refused'; message: string; requestId: string | null }
  | { kind: 'signed-out' }
  | { kind: 'no-stripe' }

export type StartAnswer = { payment: StartedPayment } | { failure: StartFailure }

type ErrorBody = { error?: { code?: string; message?: string; requestId?: string } }

const DEADLINE_MS = 20_000
const DEFAULT_WAIT_S = 30

/**
 * Ask for the payment of an order. The same key asked again gets the same payment, so a caller that heard nothing
 * may simply ask again. Never throws.
 */
export function startPayment(orderId: string, idempotencyKey: string): Promise<StartAnswer> {
  return ask('/api/payments/create-payment-intent', { orderId }, { 'idempotency-key': idempotencyKey })
}

/** The same for an invoice of a subscription: its payment was opened by Stripe, and there is only the one. */
export function startInvoicePayment(invoiceId: string): Promise<StartAnswer> {
  return ask(`/api/billing/invoices/${invoiceId}/payment`, {})
}

async function ask(
  address: string,
  input: object,
  headers: Record<string, string> = {},
): Promise<StartAnswer> {
  let response: Response
  let body: unknown
  try {
    response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(input),
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    body = await response.json()
  } catch {
    return { failure: { kind: 'unavailable', requestId: null } }
  }
  if (response.ok) return { payment: body as StartedPayment }
  return { failure: failureOf(response, (body as ErrorBody).error ?? {}) }
}

function failureOf(response: Response, error: NonNullable<ErrorBody['error']>): StartFailure {
  const requestId = error.requestId ?? null
  if (response.status === 401) return { kind: 'signed-out' }
  if (response.status === 429) {
    const seconds = Number(response.headers.get('retry-after'))
    return {
      kind: 'wait',
      message: error.message ?? 'Please wait a moment.',
      seconds: seconds > 0 ? Math.ceil(seconds) : DEFAULT_WAIT_S,
      requestId,
    }
  }
  if (error.code === 'payments_paused' && error.message)
    return { kind: 'refused', message: error.message, requestId }
  if (response.status >= 500) return { kind: 'unavailable', requestId }
  return { kind: 'refused', message: error.message ?? 'This order cannot be paid now.', requestId }
}
