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
  /** Stripe.js may ask how it went with the secret that it knows, after the session's own is gone. Null for Stripe's page. */
  clientSecret: string | null
  lineItems: Stripe.LineItem[]
  discounts: { coupon: string; promotionCode: string | null }[]
  paymentIntent: Partial<
    Pick<
      Stripe.PaymentIntent,
      | 'capture_method'
      | 'description'
      | 'metadata'
      | 'receipt_email'
      | 'setup_future_usage'
      | 'statement_descriptor'
      | 'statement_descriptor_suffix'
      | 'transfer_group'
    >
  >
  subscription: {
    description: string | null
    metadata: Record<string, string>
    trialDays: number | null
    /** Unix seconds. */
    trialEnd: number | null
    missingPaymentMethod: 'cancel' | 'create_invoice' | 'pause'
  }
  /** Begun by a first try that was declined, or that still waits for the bank: the next try goes on with it. */
  begun: string | null
}
