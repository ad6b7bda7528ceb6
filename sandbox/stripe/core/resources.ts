import type Stripe from 'stripe'
import type { BillingResources } from '../billing/resources.ts'
import type { TestCardKey } from '../cards/test-cards.ts'

/** What only this server knows about an object; never part of an answer. */
export type Resources = BillingResources & {
  customer: { object: Stripe.Customer; hidden: Record<string, never> }
  payment_method: {
    object: Stripe.PaymentMethod
    hidden: {
      card: TestCardKey
      cvcGiven: boolean
      /** Authenticated once for later payments without the customer (stripe.C13). */
      setUp: boolean
      /** Used without a customer, or taken off one: never to be used again. */
      spent?: boolean
    }
  }
  payment_intent: { object: Stripe.PaymentIntent; hidden: Record<string, never> }
  setup_intent: { object: Stripe.SetupIntent; hidden: Record<string, never> }
  setup_attempt: { object: Stripe.SetupAttempt; hidden: Record<string, never> }
  confirmation_token: { object: Stripe.ConfirmationToken; hidden: TokenMethod }
  /** The id is this server's own: Stripe's object has none. */
  customer_session: { object: Stripe.CustomerSession & { id: string }; hidden: Record<string, never> }
  charge: { object: Stripe.Charge; hidden: Record<string, never> }
  refund: { object: Stripe.Refund; hidden: { ending: RefundEnding } }
  dispute: { object: Stripe.Dispute; hidden: Record<string, never> }
  'radar.early_fraud_warning': { object: Stripe.Radar.EarlyFraudWarning; hidden: Record<string, never> }
  balance_transaction: { object: Stripe.BalanceTransaction; hidden: Record<string, never> }
  webhook_endpoint: {
    object: Stripe.WebhookEndpoint
    hidden: {
      secrets: SigningSecret[]
      /** Set by this server's own settings, not through the API. */
      configured: boolean
    }
  }
}

/** How the customer's bank will take a refund: at once, after a while, or not at all (stripe.C28, stripe.C29). */
export type RefundEnding = 'succeeds' | 'succeedsLate' | 'fails'

/** What a ConfirmationToken stands for: a card saved before, or one that becomes a payment method when the token is used. */
export type TokenMethod =
  | { saved: string }
  | { fresh: { object: Stripe.PaymentMethod; card: TestCardKey; cvcGiven: boolean } }

export type Kind = keyof Resources
export type ObjectOf<K extends Kind> = Resources[K]['object']
export type HiddenOf<K extends Kind> = Resources[K]['hidden']

/** Newest first. A rolled secret keeps signing until `expiresAt` (unix seconds). */
export type SigningSecret = { secret: string; expiresAt: number | null }

/** The id in a field that may hold an id or the whole object. */
export function idOf(reference: string | { id: string } | null | undefined): string | null {
  if (reference === null || reference === undefined) return null
  return typeof reference === 'string' ? reference : reference.id
}
