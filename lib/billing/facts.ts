import type { Stripe } from '../stripe/server'

/** What we keep of Stripe's billing objects, by name; as lib/payments/facts.ts does it for money. */
export type SubscriptionFacts = {
  object: 'subscription'
  id: string
  status: string
  customer: string | null
  /** Seconds since 1970, as all times here. */
  created: number
  price: string | null
  current_period_end: number | null
  cancel_at: number | null
  ended_at: number | null
  latest_invoice: InvoiceFacts | null
}

export type InvoiceFacts = {
  object: 'invoice'
  id: string
  subscription: string | null
  customer: string | null
  status: string | null
  billing_reason: string | null
  amount_due: number
  amount_paid: number
  currency: string
  payment_intent: string | null
  /** A payment was tried, and what is owed is owed still. */
  has_failed: boolean
  /** The bank wants to hear from the customer. */
  needs_action: boolean
}

export type CheckoutFacts = {
  object: 'checkout.session'
  id: string
  status: string | null
  checkout_id: string | null
}

/** @param invoice its newest invoice, fetched as invoiceFacts() wants it */
export function subscriptionFacts(
  subscription: Stripe.Subscription,
  invoice: Stripe.Invoice | null,
): SubscriptionFacts {
  // Periods are those of its items; ours have one.
  const [item] = subscription.items.data
  return {
    object: 'subscription',
    id: subscription.id,
    status: subscription.status,
    customer: idOf(subscription.customer),
    created: subscription.created,
    price: item?.price.id ?? null,
    current_period_end: item?.current_period_end ?? null,
    cancel_at: subscription.cancel_at,
    ended_at: subscription.ended_at,
    latest_invoice: invoice && invoiceFacts(invoice),
  }
}

/** @param invoice with its payments and their PaymentIntents expanded */
export function invoiceFacts(invoice: Stripe.Invoice): InvoiceFacts {
  const intent = intentOfInvoice(invoice)
  return {
    object: 'invoice',
    id: invoice.id,
    subscription: idOf(invoice.parent?.subscription_details?.subscription ?? null),
    customer: idOf(invoice.customer),
    status: invoice.status,
    billing_reason: invoice.billing_reason,
    amount_due: invoice.amount_due,
    amount_paid: invoice.amount_paid,
    currency: invoice.currency,
    payment_intent: intent?.id ?? null,
    has_failed: invoice.status === 'open' && invoice.attempted && invoice.attempt_count > 0,
    needs_action: wantsCustomer(intent),
  }
}

export function checkoutFacts(session: Stripe.Checkout.Session): CheckoutFacts {
  return {
    object: 'checkout.session',
    id: session.id,
    status: session.status,
    checkout_id: session.metadata?.checkout_id ?? null,
  }
}

/** The PaymentIntent an invoice is paid with. */
export function intentOfInvoice(invoice: Stripe.Invoice): Stripe.PaymentIntent | null {
  const payments = invoice.payments?.data ?? []
  const payment = payments.find(({ is_default }) => is_default) ?? payments[0]
  const intent = payment?.payment.payment_intent ?? null
  return typeof intent === 'string' ? null : intent
}

function wantsCustomer(intent: Stripe.PaymentIntent | null): boolean {
  if (intent?.status === 'requires_action') return true
  return (
    intent?.status === 'requires_payment_method' &&
    intent.last_payment_error?.code === 'authentication_required'
  )
}

function idOf(value: string | { id: string } | null): string | null {
  return typeof value === 'string' ? value : (value?.id ?? null)
}
