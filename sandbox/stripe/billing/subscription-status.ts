import type Stripe from 'stripe'
import { previousAttributes } from '../core/changes.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { noSuch } from '../http/errors.ts'
import { subscriptionOf } from './invoices.ts'

type Subscription = Stripe.Subscription

const WAITING_FOR_MONEY: string[] = ['incomplete', 'past_due', 'unpaid']
export const ENDED: string[] = ['canceled', 'incomplete_expired']

export function getSubscription(store: Store, id: string, status: 400 | 404 = 404): Subscription {
  const found = store.find('subscription', id)
  if (!found || found.deleted)
    throw noSuch('subscription', id, status === 404 ? 'id' : 'subscription', status)
  return found.object
}

/** Keep a changed subscription and tell what it was before; nothing is told when nothing changed. */
export function saveChanged(call: Call, before: Subscription, after: Subscription): Subscription {
  call.store.save('subscription', after)
  const changed = previousAttributes(before, after)
  if (changed) recordEvent(call, 'customer.subscription.updated', after, changed)
  return after
}

/** An invoice was paid: its subscription is in good standing, unless a newer invoice still waits. */
export function settleSubscription(call: Call, invoice: Stripe.Invoice): void {
  const { store } = call
  const subscription = store.find('subscription', subscriptionOf(invoice) ?? '')?.object
  if (!subscription || !WAITING_FOR_MONEY.includes(subscription.status)) return
  if (idOf(subscription.latest_invoice) !== invoice.id && hasOpenInvoice(store, subscription.id)) return
  saveChanged(call, subscription, {
    ...subscription,
    ...cardToKeep(store, subscription, invoice),
    status: 'active',
  })
}

/** An automatic payment failed (stripe.E15). The first one is waited for in `incomplete`. */
export function fallBehind(call: Call, invoice: Stripe.Invoice): void {
  const subscription = call.store.find('subscription', subscriptionOf(invoice) ?? '')?.object
  if (!subscription || !['active', 'trialing'].includes(subscription.status)) return
  saveChanged(call, subscription, { ...subscription, status: 'past_due' })
}

/** All automatic tries failed: what happens then is a setting of the account. */
export function endDunning(call: Call, invoice: Stripe.Invoice): void {
  const subscription = call.store.find('subscription', subscriptionOf(invoice) ?? '')?.object
  if (subscription?.status !== 'past_due') return
  const { ending } = call.store.config.dunning
  if (ending === 'cancel') endSubscription(call, subscription, 'payment_failed')
  if (ending === 'unpaid') saveChanged(call, subscription, { ...subscription, status: 'unpaid' })
}

/** It is over, now (stripe.E16). */
export function endSubscription(
  call: Call,
  subscription: Subscription,
  reason: 'cancellation_requested' | 'payment_failed',
): Subscription {
  const { store } = call
  const now = store.clock.now()
  const ended = store.save('subscription', {
    ...subscription,
    canceled_at: subscription.canceled_at ?? now,
    cancellation_details: { ...details(subscription), reason },
    ended_at: now,
    status: 'canceled',
  })
  stopCollecting(store, ended.id)
  recordEvent(call, 'customer.subscription.deleted', ended)
  return ended
}

export function details({ cancellation_details }: Subscription): Stripe.Subscription.CancellationDetails {
  return cancellation_details ?? { comment: null, feedback: null, feedback_option: null, reason: null }
}

/** What is still open stays open, but is not collected by itself any more. */
export function stopCollecting(store: Store, subscription: string): void {
  for (const { object } of invoicesOf(store, subscription)) {
    if (object.status !== 'open' && object.status !== 'draft') continue
    store.save('invoice', {
      ...object,
      auto_advance: false,
      automatically_finalizes_at: null,
      next_payment_attempt: null,
    })
  }
}

export function invoicesOf(store: Store, subscription: string) {
  return store.select('invoice', [
    { sql: "data ->> '$.parent.subscription_details.subscription' = ?", values: [subscription] },
  ])
}

function hasOpenInvoice(store: Store, subscription: string): boolean {
  return invoicesOf(store, subscription).some(({ object }) => object.status === 'open')
}

/** `save_default_payment_method`: what paid becomes what is charged next time. */
function cardToKeep(
  store: Store,
  { payment_settings }: Subscription,
  invoice: Stripe.Invoice,
): Pick<Partial<Subscription>, 'default_payment_method'> {
  if (payment_settings?.save_default_payment_method !== 'on_subscription') return {}
  const [payment] = store.select('invoice_payment', [
    { sql: "data ->> '$.invoice' = ?", values: [invoice.id] },
  ])
  const intent = store.find('payment_intent', idOf(payment?.object.payment.payment_intent) ?? '')
  const card = idOf(intent?.object.payment_method)
  return card ? { default_payment_method: card } : {}
}
