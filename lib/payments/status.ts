/** Where a payment can be: Stripe's PaymentIntent statuses, and two of ours from before Stripe's answer is known. */
export const PAYMENT_STATUSES = [
  'creating',
  'unknown',
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
] as const

export type PaymentStatus = (typeof PAYMENT_STATUSES)[number]

/** Nothing that arrives later changes a final status, but for money that came after a cancel. */
export function isFinal(status: PaymentStatus): boolean {
  return status === 'succeeded' || status === 'canceled'
}
