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

/** What a payment is after Stripe said something. The twin of `private.next_status`, which is the one that makes it true. */
export function nextStatus(now: PaymentStatus, said: string): PaymentStatus {
  const known = PAYMENT_STATUSES.find((status) => status === said)
  if (known === undefined || known === 'creating' || known === 'unknown') return now
  if (now === 'succeeded') return now
  return now === 'canceled' && known !== 'succeeded' ? now : known
}

/** What Stripe should never say: staff are told. The twin of `private.is_impossible_change`. */
export function isImpossibleChange(now: PaymentStatus, said: string): boolean {
  return nextStatus(now, said) !== said || (now === 'canceled' && said === 'succeeded')
}
