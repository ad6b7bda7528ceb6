import 'server-only'
import { askStripe, type Stripe } from '../stripe/server'
import {
  type CheckoutFacts,
  checkoutFacts,
  type InvoiceFacts,
  invoiceFacts,
  type SubscriptionFacts,
  subscriptionFacts,
} from './facts'

/** A subscription as it is now, and its newest invoice as it is a moment later. */
export async function fetchSubscription(id: string): Promise<SubscriptionFacts> {
  const subscription = await askStripe((stripe) => stripe.subscriptions.retrieve(id))
  const { latest_invoice } = subscription
  const invoiceId = typeof latest_invoice === 'string' ? latest_invoice : latest_invoice?.id
  return subscriptionFacts(subscription, invoiceId ? await retrieveInvoice(invoiceId) : null)
}

export async function fetchInvoice(id: string): Promise<InvoiceFacts> {
  return invoiceFacts(await retrieveInvoice(id))
}

/** `subscription`: the one it has led to. */
export async function fetchCheckout(
  id: string,
): Promise<{ facts: CheckoutFacts; subscription: string | null; url: string | null }> {
  const session = await askStripe((stripe) => stripe.checkout.sessions.retrieve(id))
  const { subscription, url } = session
  return {
    facts: checkoutFacts(session),
    subscription: typeof subscription === 'string' ? subscription : (subscription?.id ?? null),
    url,
  }
}

export async function retrieveInvoice(id: string, more: string[] = []): Promise<Stripe.Invoice> {
  const expand = ['payments.data.payment.payment_intent', ...more]
  return await askStripe((stripe) => stripe.invoices.retrieve(id, { expand }))
}
