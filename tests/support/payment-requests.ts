import { line } from './api-keys'
import type { Person } from './people'
import { type Options, post } from './requests'
import { REASON } from './staff'

export type PaymentRequest = {
  id: string
  reference: string
  status: string
  customerId: string | null
  email: string | null
  expiresAt: string
  url: string
}

/** Staff ask somebody, by `customerId` or `email`, to pay for a notebook. */
export const requestPayment = (by: Person | null, body: object, options?: Options) =>
  post('/api/admin/payment-requests', by, { lines: [line()], reason: REASON, ...body }, options)

export const cancelRequest = (by: Person | null, orderId: string, options?: Options) =>
  post(`/api/admin/payment-requests/${orderId}/cancellation`, by, { reason: REASON }, options)

export const claim = (by: Person | null, orderId: string, options?: Options) =>
  post(`/api/orders/${orderId}/claim`, by, '', options)

export async function requestedOf(response: Response): Promise<PaymentRequest> {
  if (response.status !== 201) throw new Error(`no request was made: ${response.status}`)
  return ((await response.json()) as { paymentRequest: PaymentRequest }).paymentRequest
}
