import type {
  Appearance,
  Stripe,
  StripeCheckoutElementsSdk,
  StripeCheckoutLoadActionsSuccess,
  StripeCheckoutSession,
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
  /** The client secret is of a Checkout Session. */
  checkout?: boolean
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
  /** What `useCheckoutElements()` gave last. */
  checkout?: StripeCheckoutSession &
    Omit<StripeCheckoutElementsSdk, 'on' | 'loadActions'> &
    Omit<StripeCheckoutLoadActionsSuccess, 'getSession'>
}
