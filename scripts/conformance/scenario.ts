import type Stripe from 'stripe'
import type { Stage } from './side.ts'

export type Scenario = {
  name: string
  /** Rows of sandbox/stripe/contract/rows.ts that this says something about. */
  rows: readonly string[]
  play(stage: Stage): Promise<void>
}

/** A payment to be confirmed later; redirects off, so that a card needs no return_url. */
export const payment = {
  amount: 2000,
  currency: 'usd',
  automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
} satisfies Stripe.PaymentIntentCreateParams

export const paid = { ...payment, confirm: true, payment_method: 'pm_card_visa' }
