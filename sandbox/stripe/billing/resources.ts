import type Stripe from 'stripe'

type Plain<T> = { object: T; hidden: Record<string, never> }

/** What invoices, subscriptions and the hosted pages are made of; see core/resources.ts. */
export type BillingResources = {
  product: Plain<Stripe.Product>
  price: Plain<Stripe.Price>
  coupon: Plain<Stripe.Coupon>
  promotion_code: Plain<Stripe.PromotionCode>
  discount: Plain<Stripe.Discount>
  subscription: {
    object: Stripe.Subscription
    hidden: {
      /** Prorations that wait for the next invoice. */
      pending: Stripe.InvoiceLineItem[]
      /** Whose trial ends is told once (stripe.E19). */
      trialEndTold: boolean
    }
  }
  invoice: {
    object: Stripe.Invoice
    hidden: {
      /** Automatic tries after the first, so far. */
      retries: number
      /** An automatic try is being made: the customer is not there. */
      collecting: boolean
    }
  }
  invoice_payment: Plain<Stripe.InvoicePayment>
  'test_helpers.test_clock': Plain<Stripe.TestHelpers.TestClock>
  'checkout.session': {
    object: Stripe.Checkout.Session
    hidden: CheckoutPlan
  }
  'billing_portal.configuration': Plain<Stripe.BillingPortal.Configuration>
  'billing_portal.session': {
    object: Stripe.BillingPortal.Session
    hidden: { token: string; expiresAt: number }
  }
}

/** What a Checkout Session is going to make when its customer pays. */
export type CheckoutPlan = {
  lineItems: Stripe.LineItem[]
  discounts: { coupon: string; promotionCode: string | null }[]
  paymentIntent: {
    capture_method?: 'automatic' | 'automatic_async' | 'manual'
    description?: string | null
    metadata?: Record<string, string>
    receipt_email?: string | null
    setup_future_usage?: 'off_session' | 'on_session' | null
    statement_descriptor?: string | null
    statement_descriptor_suffix?: string | null
    transfer_group?: string | null
  }
  setupIntent: { description?: string | null; metadata?: Record<string, string> }
  subscription: {
    description?: string | null
    metadata?: Record<string, string>
    trialDays?: number
    /** Unix seconds. */
    trialEnd?: number
    missingPaymentMethod?: 'cancel' | 'create_invoice' | 'pause'
  }
  /** The customer's page address has it; who knows only the id cannot open it. */
  token: string
}
