import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent, tellInOrder } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { StripeError } from '../http/errors.ts'
import { cardOf, intentOf, payWith } from './collect-invoice.ts'
import { couponsInForce, type Redemption, redeem } from './discounts.ts'
import { type Line, type Period, saleLine, subscriptionLine } from './invoice-lines.ts'
import { createInvoice, finalizeInvoice, type Invoice } from './invoices.ts'
import { days, type Interval, periodEndAfter } from './periods.ts'
import { productName, toPlan } from './price.ts'
import { scheduleAt } from './schedule.ts'
import { getSubscription } from './subscription-status.ts'

type Subscription = Stripe.Subscription

export type NewItem = { price: Stripe.Price; quantity: number; metadata?: Record<string, string> }

export type NewSubscription = {
  id?: string
  customer: Stripe.Customer
  items: NewItem[]
  /** Sold once, together with the first invoice. */
  extras?: { price: Stripe.Price; quantity: number }[]
  behavior: 'allow_incomplete' | 'default_incomplete' | 'error_if_incomplete'
  offSession?: boolean
  paymentMethod?: string | null
  keepsCard?: boolean
  redemptions?: Redemption[]
  checkoutSession?: string
  /** Unix seconds. */
  trialEnd?: number | null
  missingPaymentMethod?: 'cancel' | 'create_invoice' | 'pause'
  cancelAt?: number | null
  cancelAtPeriodEnd?: boolean
  metadata?: Record<string, string>
  description?: string | null
  /** Where the customer comes back to when the bank wants to see them; without it Stripe.js is there to ask. */
  returnUrl?: string
}

/** How long a first invoice is waited for (stripe.E14, subscription statuses). */
const INCOMPLETE_SECONDS = 23 * 60 * 60

const TRIAL_TOLD_BEFORE = days(3)

/** The order in which a subscription's beginning is told (stripe.E14); what follows comes as it happens. */
const ORDER = [
  'customer.subscription.created',
  'invoice.created',
  'invoice.finalized',
  'payment_intent.created',
] satisfies Stripe.Event['type'][]

/** @throws StripeError 402 when the card is declined and the subscription was not to be started without its money. */
export function createSubscription(call: Call, given: NewSubscription): Subscription {
  return tellInOrder(call, ORDER, (inner) => {
    const subscription = begin(inner.store, given)
    const invoice = firstInvoice(inner, subscription, given)
    payFirst(inner, invoice, given)
    forgetUpdates(inner, subscription.id)
    const begun = getSubscription(inner.store, subscription.id)
    recordEvent(inner, 'customer.subscription.created', begun)
    schedule(inner.store, begun)
    return begun
  })
}

/** The next time something happens by itself: its period or its trial ends. */
export function schedulePeriodEnd(store: Store, subscription: Subscription): void {
  const end = subscription.items.data[0]?.current_period_end
  const ends = [end, subscription.cancel_at].filter((time) => typeof time === 'number')
  if (ends.length > 0) scheduleAt(store, 'end_period', subscription, Math.min(...ends))
}

export function scheduleTrialTelling(store: Store, { trial_end, ...subscription }: Subscription): void {
  if (trial_end === null) return
  const at = Math.max(trial_end - TRIAL_TOLD_BEFORE, store.clock.now())
  scheduleAt(store, 'tell_trial_end', subscription, at)
}

export function intervalOf(price: Stripe.Price): Interval {
  return { interval: price.recurring?.interval ?? 'month', count: price.recurring?.interval_count ?? 1 }
}

export function newItem(
  store: Store,
  subscription: string,
  { price, quantity, metadata }: NewItem,
  period: Period,
): Stripe.SubscriptionItem {
  return {
    id: newId('subscription_item'),
    object: 'subscription_item',
    billing_thresholds: null,
    created: store.clock.now(),
    current_period_end: period.end,
    current_period_start: period.start,
    current_trial: null,
    discounts: [],
    metadata: metadata ?? {},
    plan: toPlan(price),
    price,
    quantity,
    subscription,
    tax_rates: [],
  }
}

function schedule(store: Store, subscription: Subscription): void {
  if (subscription.status === 'incomplete') {
    scheduleAt(store, 'expire_incomplete', subscription, store.clock.now() + INCOMPLETE_SECONDS)
  }
  if (subscription.status === 'trialing') scheduleTrialTelling(store, subscription)
  schedulePeriodEnd(store, subscription)
}

function firstInvoice(call: Call, subscription: Subscription, given: NewSubscription): Invoice {
  const { store } = call
  const lines = subscription.items.data.map((item) => firstLine(store, subscription, item))
  const extras = (given.extras ?? []).map(({ price, quantity }) => saleLine(store, price, quantity))
  const draft = createInvoice(call, {
    customer: given.customer,
    currency: subscription.currency,
    lines: [...lines, ...extras],
    reason: 'subscription_create',
    subscription,
    discounts: couponsInForce(store, subscription.discounts, true),
  })
  store.save('subscription', { ...subscription, latest_invoice: draft.id })
  return finalizeInvoice(call, draft)
}

function firstLine(store: Store, { id, trial_end }: Subscription, item: Stripe.SubscriptionItem): Line {
  const period = { start: item.current_period_start, end: item.current_period_end }
  if (trial_end === null) return subscriptionLine(store, { item, subscription: id, period })
  const description = `Trial period for ${productName(store, item.price)}`
  return subscriptionLine(store, { item, subscription: id, period, amountMinor: 0, description })
}

function payFirst(call: Call, invoice: Invoice, given: NewSubscription): void {
  const { store } = call
  if (invoice.status === 'paid') return
  const card = cardOf(store, invoice)
  if (given.behavior === 'default_incomplete') {
    if (card) {
      const intent = intentOf(store, invoice)
      store.save('payment_intent', {
        ...intent,
        payment_method: card.object.id,
        status: 'requires_confirmation',
      })
    }
    return
  }
  if (!card) throw noCard()
  const refuses = given.behavior === 'error_if_incomplete'
  try {
    payWith(call, invoice, card, {
      offSession: given.offSession ?? false,
      errorOnRequiresAction: refuses,
      ...(given.returnUrl ? { useStripeSdk: false, returnUrl: given.returnUrl } : {}),
    })
  } catch (error) {
    if (!(error instanceof StripeError) || error.status !== 402) throw error
    // Nothing of it is kept: neither the subscription nor the decline.
    if (refuses) throw new StripeError(402, error.body)
  }
}

/** What happened to it before anybody knew of it is not told as a change. */
function forgetUpdates({ held }: Call, id: string): void {
  if (!held) return
  const told = held.filter(
    ({ type, object }) => !(type === 'customer.subscription.updated' && object.id === id),
  )
  held.splice(0, held.length, ...told)
}

function begin(store: Store, given: NewSubscription): Subscription {
  const id = given.id ?? newId('subscription')
  const now = store.clock.now()
  const { customer, trialEnd = null } = given
  const [first] = given.items
  if (!first) throw new Error('A subscription has an item')
  const period = { start: now, end: trialEnd ?? periodEndAfter(now, now, intervalOf(first.price)) }
  const cancelAt = given.cancelAt ?? (given.cancelAtPeriodEnd ? period.end : null)
  const subscription: Subscription = {
    id,
    object: 'subscription',
    application: null,
    application_fee_percent: null,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null },
    billing_cycle_anchor: trialEnd ?? now,
    billing_cycle_anchor_config: null,
    billing_mode: { flexible: { proration_discounts: 'included' }, type: 'flexible' },
    billing_schedules: [],
    billing_thresholds: null,
    cancel_at: cancelAt,
    cancel_at_period_end: given.cancelAtPeriodEnd ?? false,
    canceled_at: cancelAt === null ? null : now,
    cancellation_details: {
      comment: null,
      feedback: null,
      feedback_option: null,
      reason: cancelAt === null ? null : 'cancellation_requested',
    },
    collection_method: 'charge_automatically',
    created: now,
    currency: first.price.currency,
    customer: customer.id,
    customer_account: null,
    days_until_due: null,
    default_payment_method: given.paymentMethod ?? null,
    default_source: null,
    default_tax_rates: [],
    description: given.description ?? null,
    discounts: [],
    ended_at: null,
    invoice_settings: {
      account_tax_ids: null,
      custom_fields: null,
      description: null,
      footer: null,
      issuer: { type: 'self' },
    },
    items: {
      object: 'list',
      data: given.items.map((item) => newItem(store, id, item, period)),
      has_more: false,
      url: `/v1/subscription_items?subscription=${id}`,
    },
    latest_invoice: null,
    livemode: false,
    managed_payments: { enabled: false },
    metadata: given.metadata ?? {},
    next_pending_invoice_item_invoice: null,
    on_behalf_of: null,
    pause_collection: null,
    payment_settings: {
      payment_method_options: null,
      payment_method_types: null,
      save_default_payment_method: given.keepsCard ? 'on_subscription' : 'off',
    },
    pending_invoice_item_interval: null,
    pending_setup_intent: null,
    pending_update: null,
    schedule: null,
    start_date: now,
    // An invoice over nothing is paid as soon as it is finalized.
    status: trialEnd !== null ? 'trialing' : 'incomplete',
    test_clock: idOf(customer.test_clock),
    transfer_data: null,
    trial_end: trialEnd,
    trial_settings: {
      end_behavior: {
        billing_cycle_anchor: null,
        missing_payment_method: given.missingPaymentMethod ?? 'create_invoice',
      },
    },
    trial_start: trialEnd === null ? null : now,
  }
  store.insert('subscription', subscription, { pending: [], trialEndTold: false })
  const owner = {
    customer: customer.id,
    subscription: id,
    ...(given.checkoutSession ? { checkoutSession: given.checkoutSession } : {}),
  }
  const discounts = (given.redemptions ?? []).map((redemption) => redeem(store, redemption, owner).id)
  return store.save('subscription', { ...subscription, discounts })
}

function noCard(): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    message:
      'This customer has no attached payment source or default payment method. Please consider adding a default payment method. For more information, visit https://docs.stripe.com/billing/subscriptions/payment-methods-setting#payment-method-priority.',
  })
}
