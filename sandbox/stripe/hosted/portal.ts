import type Stripe from 'stripe'
import { changeSubscription } from '../billing/change-subscription.ts'
import { getPrice } from '../billing/price.ts'
import { ENDED, endSubscription, saveChanged } from '../billing/subscription-status.ts'
import { changing } from '../billing/subscriptions.ts'
import { cancelledBy, notCancelled } from '../billing/update-subscription.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { StripeError } from '../http/errors.ts'
import { createPaymentMethod, type NewPaymentMethod } from '../payments/payment-methods.ts'
import { attemptSetup } from '../saving/attempt-setup.ts'
import { newSetup } from '../saving/setup-intents.ts'
import { lastError, type PayOutcome } from './pay-session.ts'
import { getConfiguration } from './portal-configurations.ts'
import { findPortalSession } from './portal-sessions.ts'

type Subscription = Stripe.Subscription

/** All that a customer sees of what they have. */
export type PortalView = {
  session: Stripe.BillingPortal.Session
  customer: Stripe.Customer
  features: Stripe.BillingPortal.Configuration.Features
  headline: string | null
  subscriptions: Subscription[]
  cards: Stripe.PaymentMethod[]
  defaultCard: string | null
  invoices: Stripe.Invoice[]
  /** What a subscription can be changed to. */
  plans: Stripe.Price[]
}

const MOST_INVOICES = 24

/** Null when the address is not, or no longer, one of a session. */
export function portalView(store: Store, token: string): PortalView | null {
  const session = findPortalSession(store, token)?.object
  const customer = session && store.find('customer', session.customer)
  if (!session || !customer || customer.deleted) return null
  const { features, business_profile } = getConfiguration(store, idOf(session.configuration) ?? '', 404)
  const own = [{ sql: 'customer = ?', values: [session.customer] }]
  return {
    session,
    customer: customer.object,
    features,
    headline: business_profile.headline,
    subscriptions: store
      .select('subscription', own)
      .map(({ object }) => object)
      .filter(({ status }) => !ENDED.includes(status) && status !== 'incomplete'),
    cards: store.select('payment_method', own).map(({ object }) => object),
    defaultCard: idOf(customer.object.invoice_settings.default_payment_method),
    invoices: store
      .select('invoice', [...own, { sql: "data ->> '$.status' <> 'draft'", values: [] }], {
        limit: MOST_INVOICES,
      })
      .map(({ object }) => object),
    plans: plansOf(store, features),
  }
}

/** @throws StripeError when the portal does not offer it. */
export function cancelInPortal(call: Call, view: PortalView, id: string): void {
  const { subscription_cancel: cancel } = view.features
  if (!cancel.enabled) throw notOffered()
  changing(call, ownSubscription(view, id), (subscription) => {
    if (cancel.mode === 'immediately') return endSubscription(call, subscription, 'cancellation_requested')
    const end = subscription.items.data[0]?.current_period_end ?? null
    // What the portal sets is the date alone (stripe.E16, seen in a log of the portal).
    const leaving = { ...subscription, cancel_at: end, ...cancelledBy(call.store, subscription) }
    return saveChanged(call, subscription, leaving)
  })
}

export function keepInPortal(call: Call, view: PortalView, id: string): void {
  if (!view.features.subscription_cancel.enabled) throw notOffered()
  changing(call, ownSubscription(view, id), (subscription) =>
    saveChanged(call, subscription, { ...subscription, ...notCancelled(subscription) }),
  )
}

export function changePlanInPortal(call: Call, view: PortalView, id: string, price: string): void {
  const { subscription_update: update } = view.features
  if (!update.enabled || !view.plans.some((plan) => plan.id === price)) throw notOffered()
  changing(call, ownSubscription(view, id), (subscription) => {
    const [item] = subscription.items.data
    return changeSubscription(call, subscription, {
      items: [
        {
          id: item?.id ?? null,
          price: getPrice(call.store, price, 400),
          quantity: null,
          deleted: false,
        },
      ],
      proration: update.proration_behavior as 'always_invoice' | 'create_prorations' | 'none',
      prorationDate: null,
      restart: false,
      trialEnd: undefined,
      behavior: 'allow_incomplete',
      offSession: false,
      fields: {},
    })
  })
}

/** A new card is kept, and becomes the one that is charged. */
export function addCardInPortal(
  call: Call,
  view: PortalView,
  given: NewPaymentMethod,
  returnUrl: string,
): PayOutcome {
  if (!view.features.payment_method_update.enabled) throw notOffered()
  const { store } = call
  const setup = { ...newSetup(store, {}), customer: view.customer.id, metadata: { portal: view.session.id } }
  store.insert('setup_intent', setup, {})
  recordEvent(call, 'setup_intent.created', setup)
  try {
    const card = createPaymentMethod(call, given)
    const after = attemptSetup(call, setup, card, { useStripeSdk: false, returnUrl })
    const url = after.next_action?.redirect_to_url?.url
    if (url) return { kind: 'challenge', url }
    return after.status === 'succeeded'
      ? { kind: 'complete' }
      : { kind: 'declined', message: lastError(after) ?? 'The card was not accepted.' }
  } catch (error) {
    if (!(error instanceof StripeError) || error.status !== 402) throw error
    return { kind: 'declined', message: error.message }
  }
}

export function chooseCardInPortal(call: Call, view: PortalView, card: string): void {
  if (!view.cards.some(({ id }) => id === card)) throw notOffered()
  makeDefault(call, view.customer.id, card)
}

/** A card that was added in the portal is charged from now on, also when the bank had to be asked first. */
export function followPortal(store: Store): void {
  store.onEvent('setup_intent.succeeded', (call, id) => {
    const setup = store.find('setup_intent', id)?.object
    const card = idOf(setup?.payment_method)
    const session = setup?.metadata?.portal
    if (setup && card && session && store.find('billing_portal.session', session)) {
      makeDefault(call, idOf(setup.customer) ?? '', card)
    }
  })
}

function makeDefault(call: Call, customerId: string, card: string): void {
  const { store } = call
  const customer = store.find('customer', customerId)?.object
  if (!customer) return
  const before = customer.invoice_settings
  const after = store.save('customer', {
    ...customer,
    invoice_settings: { ...before, default_payment_method: card },
  })
  recordEvent(call, 'customer.updated', after, { invoice_settings: before })
  const own = [{ sql: 'customer = ?', values: [customerId] }]
  for (const { object } of store.select('subscription', own)) {
    if (ENDED.includes(object.status)) continue
    saveChanged(call, object, { ...object, default_payment_method: card })
  }
}

function plansOf(store: Store, { subscription_update: update }: PortalView['features']): Stripe.Price[] {
  if (!update.enabled) return []
  const offered = update.products?.flatMap(({ prices }) => prices)
  return store
    .select('price', [{ sql: "data ->> '$.type' = 'recurring' and data ->> '$.active' = 1", values: [] }], {
      oldestFirst: true,
    })
    .map(({ object }) => object)
    .filter(({ id }) => !offered || offered.includes(id))
}

function ownSubscription({ subscriptions }: PortalView, id: string): string {
  if (subscriptions.some((one) => one.id === id)) return id
  throw notOffered()
}

function notOffered(): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message: 'This is not offered here.' })
}
