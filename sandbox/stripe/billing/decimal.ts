import type Stripe from 'stripe'

/** Decimals travel as text (stripe.N9); the SDK's type is what it makes of that text. */
export function decimalText(value: number | string): Stripe.Decimal {
  return String(value) as unknown as Stripe.Decimal
}
