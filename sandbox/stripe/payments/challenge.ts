import { randomText } from '../core/ids.ts'
import type { Store } from '../core/store.ts'

/** A 3-D Secure question put to the customer's bank. `superseded`: the payment went another way before it was answered. */
export type Challenge = {
  token: string
  state: 'open' | 'passed' | 'failed' | 'superseded'
  paymentIntentId: string
  clientSecret: string
  /** Minor units of `currency`. */
  amountMinor: number
  currency: string
  card: { brand: string; last4: string }
  /** Where the customer goes afterwards: only when the confirmation asked for a redirect; null when Stripe.js waits in the page. */
  returnUrl: string | null
}

export type CompletedChallenge = {
  challenge: Challenge
  /** The PaymentIntent's status now: `succeeded`, or `requires_payment_method` after a failure or a decline. */
  status: string
  /** `returnUrl` with `payment_intent`, `payment_intent_client_secret` and `redirect_status` filled in. */
  redirectTo: string | null
}

/** The challenge behind a token of `/3ds/:token`; null when there was never one. */
export function findChallenge(_store: Store, _token: string): Challenge | null {
  return null
}

/** Answer for the bank. Only an open challenge changes anything; any other is returned as it stands. Null for an unknown token. */
export function completeChallenge(
  _store: Store,
  _token: string,
  _answer: 'pass' | 'fail',
): CompletedChallenge | null {
  return null
}

export function newChallengeToken(): string {
  return `tds_${randomText(40)}`
}
