import { env } from '@/lib/env'
import type { ModelInvoice, ModelSession, ModelSubscription } from './billing-objects'
import type { ModelIntent } from './objects'
import { type Rendered, renderedIntent } from './rendered'

// As in rendered.ts: what our code looks at.

export function renderedSubscription(subscription: ModelSubscription): Rendered {
  return {
    object: 'subscription',
    id: subscription.id,
    livemode: false,
    status: subscription.status,
    customer: subscription.customer,
    created: subscription.createdAt,
    cancel_at: subscription.cancelAt,
    ended_at: subscription.endedAt,
    latest_invoice: subscription.latestInvoice,
    metadata: {},
    items: {
      data: [{ price: { id: subscription.price }, current_period_end: subscription.periodEnd }],
    },
  } as Rendered
}

/** @param intent expanded, as lib/ asks for it; null for a draft and in an event */
export function renderedInvoice(
  invoice: ModelInvoice,
  { customer, intent }: { customer: string; intent: ModelIntent | null },
): Rendered {
  const payment = intent && { payment_intent: renderedIntent(intent, { expanded: true }) }
  return {
    object: 'invoice',
    id: invoice.id,
    livemode: false,
    status: invoice.status,
    customer,
    billing_reason: invoice.reason,
    parent: { subscription_details: { subscription: invoice.subscriptionId } },
    amount_due: invoice.amount,
    amount_paid: invoice.status === 'paid' ? invoice.amount : 0,
    currency: invoice.currency,
    attempted: invoice.failures > 0 || invoice.status === 'paid',
    attempt_count: invoice.failures + Number(invoice.status === 'paid'),
    payments: { data: payment ? [{ is_default: true, payment }] : [] },
  } as Rendered
}

export function renderedSession(session: ModelSession): Rendered {
  const { apiBase } = env().stripe
  return {
    object: 'checkout.session',
    id: session.id,
    livemode: false,
    status: session.status,
    subscription: session.subscriptionId,
    metadata: { ...session.metadata },
    url: session.status === 'open' ? `${new URL(`/pay/${session.id}`, apiBase ?? undefined)}` : null,
  } as Rendered
}
