import type Stripe from 'stripe'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall, type Call } from '../http/call.ts'
import { invoiceFor, nextPeriodLines } from './change-subscription.ts'
import { cardOfCustomer, collect } from './collect-invoice.ts'
import { intervalOf, schedulePeriodEnd } from './create-subscription.ts'
import type { Line } from './invoice-lines.ts'
import { createInvoice, finalizeInvoice, voidInvoice } from './invoices.ts'
import { periodEndAfter } from './periods.ts'
import { scheduleAt } from './schedule.ts'
import { ENDED, endSubscription, invoicesOf, saveChanged } from './subscription-status.ts'

/** A renewal's invoice stays a draft for an hour (stripe.E15), so that it can still be changed. */
const DRAFT_SECONDS = 60 * 60

/** A period is over: the next one begins and is billed, or the subscription ends. Runs as a job. */
export function endPeriod(store: Store, id: string): void {
  const found = store.find('subscription', id)
  const subscription = found?.object
  const [item] = subscription?.items.data ?? []
  if (!found || found.deleted || !subscription || !item || ENDED.includes(subscription.status)) return
  if (['incomplete', 'paused'].includes(subscription.status)) return
  const now = store.clock.now()
  const call = automaticCall(store)
  if (subscription.cancel_at !== null && subscription.cancel_at <= now) {
    endSubscription(call, subscription, 'cancellation_requested')
    return
  }
  // It was moved to another date since this was scheduled.
  if (item.current_period_end > now) return
  if (subscription.status === 'trialing' && endsWithTrial(call, subscription)) return
  renew(call, subscription, found.hidden.pending)
}

/** Nobody paid the first invoice (stripe.E14). Runs as a job. */
export function expireIncomplete(store: Store, id: string): void {
  const subscription = store.find('subscription', id)?.object
  if (subscription?.status !== 'incomplete') return
  const call = automaticCall(store)
  const now = store.clock.now()
  for (const { object } of invoicesOf(store, id)) if (object.status === 'open') voidInvoice(call, object)
  saveChanged(call, subscription, { ...subscription, ended_at: now, status: 'incomplete_expired' })
}

/** Three days before (stripe.E19). Runs as a job. */
export function tellTrialEnd(store: Store, id: string): void {
  const found = store.find('subscription', id)
  if (found?.object.status !== 'trialing' || found.hidden.trialEndTold) return
  store.save('subscription', found.object, { ...found.hidden, trialEndTold: true })
  recordEvent(automaticCall(store), 'customer.subscription.trial_will_end', found.object)
}

/** The hour of a draft is over. Runs as a job. */
export function finalizeDraft(store: Store, id: string): void {
  const found = store.find('invoice', id)
  if (found?.object.status !== 'draft' || found.object.automatically_finalizes_at === null) return
  const call = automaticCall(store)
  const invoice = finalizeInvoice(call, found.object)
  if (invoice.status === 'open') collect(call, invoice)
}

/** Runs as a job. A try that was called off, or has been made by the customer, is not made again. */
export function retryInvoice(store: Store, id: string): void {
  const invoice = store.find('invoice', id)?.object
  if (invoice?.status !== 'open' || invoice.next_payment_attempt === null) return
  if (invoice.next_payment_attempt <= store.clock.now()) collect(automaticCall(store), invoice)
}

function renew(call: Call, subscription: Stripe.Subscription, pending: Line[]): void {
  const { store } = call
  const [item] = subscription.items.data
  if (!item) return
  const now = store.clock.now()
  const lines = [...pending, ...nextPeriodLines(store, subscription)]
  const collects = subscription.status !== 'unpaid'
  const draft = createInvoice(call, {
    ...invoiceFor(store, subscription, lines, 'subscription_cycle'),
    period: { start: item.current_period_start, end: item.current_period_end },
    autoAdvance: collects,
    ...(collects ? { finalizesAt: now + DRAFT_SECONDS } : {}),
  })
  if (collects) scheduleAt(store, 'finalize_invoice', draft, now + DRAFT_SECONDS)

  const items = subscription.items.data.map((one) => ({
    ...one,
    current_period_start: one.current_period_end,
    current_period_end: periodEndAfter(
      one.current_period_end,
      subscription.billing_cycle_anchor,
      intervalOf(one.price),
    ),
  }))
  const renewed = {
    ...subscription,
    items: { ...subscription.items, data: items },
    latest_invoice: draft.id,
    status: subscription.status === 'trialing' ? ('active' as const) : subscription.status,
  }
  store.save('subscription', renewed, { pending: [], trialEndTold: true })
  saveChanged(call, subscription, renewed)
  schedulePeriodEnd(store, renewed)
}

/** A trial that ends without a card: what happens then was said when it began. True when nothing is billed. */
function endsWithTrial(call: Call, subscription: Stripe.Subscription): boolean {
  const { missing_payment_method: wanted } = subscription.trial_settings?.end_behavior ?? {}
  if (wanted !== 'cancel' && wanted !== 'pause') return false
  const { store } = call
  if (cardOfCustomer(store, subscription)) return false
  if (wanted === 'cancel') endSubscription(call, subscription, 'payment_failed')
  else {
    const paused = { ...subscription, status: 'paused' as const }
    store.save('subscription', paused)
    recordEvent(call, 'customer.subscription.paused', paused, { status: subscription.status })
  }
  return true
}
