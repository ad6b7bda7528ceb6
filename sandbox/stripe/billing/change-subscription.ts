import type Stripe from 'stripe'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import type { Call } from '../http/call.ts'
import { StripeError } from '../http/errors.ts'
import { cardOf, intentOf, payWith } from './collect-invoice.ts'
import { intervalOf, newItem, schedulePeriodEnd, scheduleTrialTelling } from './create-subscription.ts'
import { couponsInForce } from './discounts.ts'
import { draftInvoice } from './draft-invoice.ts'
import { type Line, type Period, subscriptionLine } from './invoice-lines.ts'
import { createInvoice, customerOf, finalizeInvoice, type Invoice } from './invoices.ts'
import { periodEndAfter } from './periods.ts'
import { prorationLines } from './proration.ts'
import { getSubscription, saveChanged } from './subscription-status.ts'

type Subscription = Stripe.Subscription
type Item = Stripe.SubscriptionItem

/** One line of `items` in an update: an item that is there, or a new one. */
export type ItemChange = {
  id: string | null
  price: Stripe.Price | null
  quantity: number | null
  deleted: boolean
  metadata?: Record<string, string>
}

export type SubscriptionChange = {
  items: ItemChange[]
  proration: 'always_invoice' | 'create_prorations' | 'none'
  /** Unix seconds; now unless given. */
  prorationDate: number | null
  /** A new billing cycle begins now. */
  restart: boolean
  /** Unix seconds; null ends the trial now; undefined leaves it. */
  trialEnd: number | null | undefined
  behavior: 'allow_incomplete' | 'default_incomplete' | 'error_if_incomplete'
  offSession: boolean
  /** Everything else that changes with it. */
  fields: Partial<Subscription>
}

/** What a change comes to: the subscription afterwards, and what is due for it. */
type Outcome = { after: Subscription; lines: Line[]; invoicesNow: boolean }

export function changeSubscription(
  call: Call,
  before: Subscription,
  change: SubscriptionChange,
): Subscription {
  const { store } = call
  const { after, lines, invoicesNow } = outcomeOf(store, before, change)
  const hidden = store.find('subscription', before.id)?.hidden ?? { pending: [], trialEndTold: false }
  const pending = [...hidden.pending, ...lines]
  if (!invoicesNow || pending.length === 0) {
    store.save('subscription', after, { ...hidden, pending })
    reschedule(store, before, after)
    return saveChanged(call, before, after)
  }
  store.save('subscription', after, { ...hidden, pending: [] })
  const draft = createInvoice(call, {
    ...invoiceFor(store, after, pending, 'subscription_update'),
    autoAdvance: true,
  })
  const changed = { ...after, latest_invoice: draft.id }
  saveChanged(call, before, changed)
  reschedule(store, before, changed)
  settle(call, finalizeInvoice(call, draft), change)
  return getSubscription(store, before.id)
}

/** What a change would bring, without making it. */
export function previewChange(store: Store, before: Subscription, change: SubscriptionChange): Invoice {
  const { after, lines, invoicesNow } = outcomeOf(store, before, change)
  const pending = [...(store.find('subscription', before.id)?.hidden.pending ?? []), ...lines]
  const next = invoicesNow ? [] : nextPeriodLines(store, after)
  return draftInvoice(store, invoiceFor(store, after, [...pending, ...next], 'upcoming'))
}

/** The lines of the period after the one that runs. */
export function nextPeriodLines(store: Store, subscription: Subscription): Line[] {
  return subscription.items.data.map((item) => {
    const start = item.current_period_end
    const end = periodEndAfter(start, subscription.billing_cycle_anchor, intervalOf(item.price))
    return subscriptionLine(store, { item, subscription: subscription.id, period: { start, end } })
  })
}

export function invoiceFor(
  store: Store,
  subscription: Subscription,
  lines: Line[],
  reason: 'subscription_update' | 'subscription_cycle' | 'upcoming',
) {
  return {
    customer: customerOf(store, subscription),
    currency: subscription.currency,
    lines,
    reason,
    subscription,
    discounts: couponsInForce(store, subscription.discounts, false),
  }
}

function outcomeOf(store: Store, before: Subscription, change: SubscriptionChange): Outcome {
  const now = store.clock.now()
  const items = changedItems(store, before, change.items)
  const changed = { ...before, ...change.fields }
  const trialing = before.status === 'trialing'
  const endsTrial = trialing && change.trialEnd === null

  if (typeof change.trialEnd === 'number') {
    const period = { start: now, end: change.trialEnd }
    const trial = { billing_cycle_anchor: change.trialEnd, trial_end: change.trialEnd, trial_start: now }
    const after = {
      ...changed,
      ...trial,
      status: 'trialing' as const,
      items: listOf(before, inPeriod(items, period)),
    }
    return { after, lines: [], invoicesNow: false }
  }
  if (endsTrial || change.restart || otherInterval(before, items)) {
    const [first] = items
    if (!first) throw new Error('A subscription has an item')
    const period = { start: now, end: periodEndAfter(now, now, intervalOf(first.price)) }
    const restarted = inPeriod(items, period)
    const after: Subscription = {
      ...changed,
      billing_cycle_anchor: now,
      items: listOf(before, restarted),
      ...(endsTrial ? { status: 'active', trial_end: now } : {}),
    }
    const credits =
      change.proration === 'none' || trialing ? [] : prorationLines(store, before, items, now, 'credits')
    const charges = restarted.map((item) =>
      subscriptionLine(store, { item, subscription: before.id, period }),
    )
    return { after, lines: [...credits, ...charges], invoicesNow: true }
  }
  const prorates = change.proration !== 'none' && !trialing
  return {
    after: { ...changed, items: listOf(before, items) },
    lines: prorates ? prorationLines(store, before, items, change.prorationDate ?? now, 'both') : [],
    invoicesNow: change.proration === 'always_invoice',
  }
}

function changedItems(store: Store, before: Subscription, changes: ItemChange[]): Item[] {
  const kept = before.items.data.flatMap((item) => {
    const change = changes.find(({ id }) => id === item.id)
    if (!change) return [item]
    if (change.deleted) return []
    const price = change.price ?? item.price
    const renewed = newItem(store, before.id, { price, quantity: 1 }, periodOf(item))
    return [
      {
        ...item,
        price,
        plan: renewed.plan,
        quantity: change.quantity ?? item.quantity ?? 1,
        metadata: { ...item.metadata, ...change.metadata },
      },
    ]
  })
  const period = periodOf(before.items.data[0])
  const added = changes.flatMap(({ id, price, quantity, metadata }) =>
    id === null && price
      ? [
          newItem(
            store,
            before.id,
            { price, quantity: quantity ?? 1, ...(metadata ? { metadata } : {}) },
            period,
          ),
        ]
      : [],
  )
  const items = [...kept, ...added]
  if (items.length > 0) return items
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message: 'A subscription must have at least one active plan. Cancel the subscription instead.',
    param: 'items',
  })
}

/** Money that is due for a change is asked for at once; without it the subscription falls behind. */
function settle(call: Call, invoice: Invoice, { behavior, offSession }: SubscriptionChange): void {
  const { store } = call
  if (invoice.status === 'paid') return
  const card = cardOf(store, invoice)
  const refuses = behavior === 'error_if_incomplete'
  try {
    if (behavior === 'default_incomplete') {
      if (card) {
        const waiting = { ...intentOf(store, invoice), payment_method: card.object.id }
        store.save('payment_intent', { ...waiting, status: 'requires_confirmation' })
      }
    } else if (card) {
      payWith(call, invoice, card, { offSession, askLater: !refuses, errorOnRequiresAction: refuses })
    }
  } catch (error) {
    if (!(error instanceof StripeError) || error.status !== 402) throw error
    if (refuses) throw new StripeError(402, error.body)
  }
  const paid = store.find('invoice', invoice.id)?.object.status === 'paid'
  const subscription = getSubscription(store, idOf(invoice.parent?.subscription_details?.subscription) ?? '')
  if (!paid && subscription.status === 'active') {
    saveChanged(call, subscription, { ...subscription, status: 'past_due' })
  }
}

function reschedule(store: Store, before: Subscription, after: Subscription): void {
  const endOf = ({ items, cancel_at }: Subscription) => `${items.data[0]?.current_period_end} ${cancel_at}`
  if (endOf(before) !== endOf(after)) schedulePeriodEnd(store, after)
  if (before.trial_end !== after.trial_end && after.status === 'trialing') scheduleTrialTelling(store, after)
}

function otherInterval(before: Subscription, items: Item[]): boolean {
  const [was] = before.items.data
  const [is] = items
  if (!was || !is) return false
  const [a, b] = [intervalOf(was.price), intervalOf(is.price)]
  return a.interval !== b.interval || a.count !== b.count
}

function inPeriod(items: Item[], { start, end }: Period): Item[] {
  return items.map((item) => ({ ...item, current_period_start: start, current_period_end: end }))
}

function listOf({ items }: Subscription, data: Item[]): Subscription['items'] {
  return { ...items, data }
}

function periodOf(item: Item | undefined): Period {
  if (!item) throw new Error('A subscription has an item')
  return { start: item.current_period_start, end: item.current_period_end }
}
