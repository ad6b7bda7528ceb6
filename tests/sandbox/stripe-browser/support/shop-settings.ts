import type {
  Appearance,
  Stripe,
  StripeElements,
  StripeElementsOptionsMode,
  StripePaymentElementOptions,
} from '@stripe/stripe-js'

/** How a test wants the shop's page; passed in the page's address. */
export type ShopSettings = {
  stripeJsUrl: string
  publishableKey: string
  clientSecret: string
  deferred?: { amount: number; currency: string } | StripeElementsOptionsMode
  /** What the button does. */
  purpose?: 'payment' | 'setup'
  customerSessionClientSecret?: string
  paymentMethodCreation?: 'manual'
  /** Elements above the Payment Element. */
  alongside?: ('billing' | 'shipping' | 'email' | 'express')[]
  skipSubmit?: boolean
  redirect?: 'always' | 'if_required'
  appearance?: Appearance
  paymentElement?: StripePaymentElementOptions
}

/** What the page keeps for a test to look at. */
export type ShopState = {
  calls: string[]
  events: { name: string; detail: unknown }[]
  /** Every `message` event the page's window received. */
  messages: string[]
  violations: string[]
  stripe: Stripe | null
  elements: StripeElements | null
  lastResult?: unknown
}
