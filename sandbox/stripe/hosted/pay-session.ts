import type Stripe from 'stripe'
import { inTimeOf } from '../billing/clock-time.ts'
import { intentOf, payWith } from '../billing/collect-invoice.ts'
import { getCoupon } from '../billing/coupons.ts'
import { createSubscription } from '../billing/create-subscription.ts'
import { countRedemption } from '../billing/discounts.ts'
import { getInvoice, type Invoice } from '../billing/invoices.ts'
import { days } from '../billing/periods.ts'
import { getSubscription } from '../billing/subscription-status.ts'
import { newId } from '../core/ids.ts'
import { idOf } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import { type EventType, recordEvent, tellInOrder } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { StripeError } from '../http/errors.ts'
import { attemptPayment } from '../payments/attempt.ts'
import { createCustomer } from '../payments/customers.ts'
import { newIntent } from '../payments/payment-intents.ts'
import { attach } from '../payments/payment-methods.ts'
import { attemptSetup } from '../saving/attempt-setup.ts'
import { customerDetails } from './new-session.ts'
import { getSession } from './sessions.ts'

type Session = Stripe.Checkout.Session
type Card = Found<'payment_method'>

export type Payer = { email: string | null; name: string | null; card: Card | null }

export type PayOutcome =
  | { kind: 'complete' }
  /** The bank wants to see the customer; they come back to the page afterwards. */
  | { kind: 'challenge'; url: string }
  | { kind: 'declined'; message: string }

/** As one payment through Checkout is told (stripe.E3). */
const PAYMENT_ORDER = [
  'customer.created',
  'customer.updated',
  'charge.succeeded',
  'payment_intent.succeeded',
  'payment_intent.created',
  'checkout.session.completed',
] satisfies EventType[]

/** As a subscription through Checkout is told: the session before the subscription (stripe.E4). */
const SUBSCRIPTION_ORDER = [
  'charge.succeeded',
  'payment_method.attached',
  'customer.created',
  'customer.updated',
  'checkout.session.completed',
  'customer.subscription.created',
  'payment_intent.created',
  'payment_intent.succeeded',
  'invoice.created',
  'invoice.finalized',
  'invoice.paid',
  'invoice.payment_succeeded',
] satisfies EventType[]

/** The customer pressed the button. Nothing changes when the session is not open any more. */
export function paySession(call: Call, id: string, payer: Payer): PayOutcome {
  const { store } = call
  const { object: session } = getSession(store, id)
  if (session.status !== 'open') return outcomeOf(store, id, null)
  const owner = idOf(session.customer)
  const clock = owner ? store.find('customer', owner)?.object.test_clock : null
  const order = session.mode === 'subscription' ? SUBSCRIPTION_ORDER : PAYMENT_ORDER
  return inTimeOf(store, clock, () =>
    tellInOrder(call, order, (inner) => {
      rememberPayer(store, id, payer)
      try {
        if (session.mode === 'payment') payOnce(inner, id, payer)
        else if (session.mode === 'setup') saveCard(inner, id, payer)
        else subscribe(inner, id, payer)
      } catch (error) {
        if (!(error instanceof StripeError) || error.status !== 402) throw error
        return outcomeOf(store, id, error.message)
      }
      return outcomeOf(store, id, null)
    }),
  )
}

/** Sessions follow what is paid with them, also when the bank took its time. */
export function followSessions(store: Store): void {
  const finish = (field: 'payment_intent' | 'setup_intent', status: Session['payment_status']) => {
    return (call: Call, id: string) => {
      const [found] = openSessions(store, `data ->> '$.${field}' = ?`, id)
      if (found) complete(call, found.object.id, { payment_status: status })
    }
  }
  store.onEvent('payment_intent.succeeded', finish('payment_intent', 'paid'))
  store.onEvent('payment_intent.amount_capturable_updated', finish('payment_intent', 'unpaid'))
  store.onEvent('setup_intent.succeeded', finish('setup_intent', 'no_payment_required'))
  store.onEvent('invoice.paid', (call, id) => {
    const invoice = getInvoice(store, id)
    const subscription = idOf(invoice.parent?.subscription_details?.subscription)
    const [found] = subscription ? openSessions(store, "hidden ->> '$.begun' = ?", subscription) : []
    if (!found) return
    complete(call, found.object.id, {
      customer: idOf(invoice.customer),
      invoice: id,
      payment_status: invoice.amount_due === 0 ? 'no_payment_required' : 'paid',
      subscription,
    })
  })
}

function payOnce(call: Call, id: string, payer: Payer): void {
  const { store } = call
  const { object: session, hidden } = getSession(store, id)
  const amount = session.amount_total ?? 0
  const customer = customerOf(call, session, payer, session.customer_creation === 'always')
  for (const { coupon, promotionCode } of hidden.discounts) {
    if (session.payment_intent === null) {
      countRedemption(store, { coupon: getCoupon(store, coupon, 400), promotionCode })
    }
  }
  if (amount === 0) {
    complete(call, id, { payment_status: 'no_payment_required', ...(customer ? { customer } : {}) })
    return
  }
  if (!payer.card) throw new Error('There is something to pay, and no card')
  const begun = store.find('payment_intent', idOf(session.payment_intent) ?? '')?.object
  const intent = begun ?? {
    ...newIntent(store, { amount, currency: session.currency ?? 'usd', customer: customer ?? undefined }),
    ...hidden.paymentIntent,
  }
  if (!begun) {
    store.insert('payment_intent', intent, {})
    recordEvent(call, 'payment_intent.created', intent)
    const known = getSession(store, id).object
    store.save('checkout.session', { ...known, payment_intent: intent.id, ...(customer ? { customer } : {}) })
  }
  attemptPayment(call, intent, payer.card, {
    ...onPage(store, id),
    offSession: false,
    errorOnRequiresAction: false,
  })
}

function saveCard(call: Call, id: string, payer: Payer): void {
  const { store } = call
  const { object: session } = getSession(store, id)
  const setup = store.find('setup_intent', idOf(session.setup_intent) ?? '')?.object
  if (!setup || !payer.card) throw new Error('There is nothing to save')
  const customer = customerOf(call, session, payer, session.customer_creation === 'always')
  const ready = store.save('setup_intent', { ...setup, customer: customer ?? setup.customer })
  if (customer) store.save('checkout.session', { ...getSession(store, id).object, customer })
  attemptSetup(call, ready, payer.card, onPage(store, id))
}

function subscribe(call: Call, id: string, payer: Payer): void {
  const { store } = call
  const { object: session, hidden } = getSession(store, id)
  if (hidden.begun) {
    payAgain(call, id, hidden.begun, payer)
    return
  }
  const customer = customerOf(call, session, payer, true)
  const owner = store.find('customer', customer ?? '')?.object
  if (!owner) throw new Error('A subscription needs a customer')
  const { trialDays, trialEnd, ...plan } = hidden.subscription
  const ends = trialEnd ?? (trialDays === null ? null : store.clock.now() + days(trialDays))
  const subscriptionId = reserveSubscription(store, id)
  // Nothing is charged now, so nothing else would keep the card.
  if (payer.card && (ends !== null || session.amount_total === 0)) attach(call, payer.card, owner.id)
  createSubscription(call, {
    id: subscriptionId,
    customer: owner,
    items: hidden.lineItems.flatMap(({ price, quantity, metadata }) =>
      price?.recurring ? [{ price, quantity: quantity ?? 1, metadata: metadata ?? {} }] : [],
    ),
    extras: hidden.lineItems.flatMap(({ price, quantity }) =>
      price && !price.recurring ? [{ price, quantity: quantity ?? 1 }] : [],
    ),
    behavior: 'allow_incomplete',
    paymentMethod: payer.card?.object.id ?? null,
    redemptions: hidden.discounts.map(({ coupon, promotionCode }) => ({
      coupon: getCoupon(store, coupon, 400),
      promotionCode,
    })),
    checkoutSession: id,
    trialEnd: ends,
    ...(session.ui_mode === 'hosted_page' ? { returnUrl: pageUrl(store, id) } : {}),
    ...plan,
  })
}

/** An earlier try was declined: the same invoice is paid with another card. */
function payAgain(call: Call, id: string, begun: string, { card }: Payer): void {
  const { store } = call
  const subscription = getSubscription(store, begun)
  if (!card) throw new Error('There is something to pay, and no card')
  store.save('subscription', { ...subscription, default_payment_method: card.object.id })
  payWith(call, latestInvoice(store, subscription), card, onPage(store, id))
}

function complete(call: Call, id: string, fields: Partial<Session>): void {
  const completed = call.store.save('checkout.session', {
    ...getSession(call.store, id).object,
    ...fields,
    client_secret: null,
    status: 'complete',
    url: null,
  })
  recordEvent(call, 'checkout.session.completed', completed)
}

/** What came of it is read from what there is now, whoever made it so. */
function outcomeOf(store: Store, id: string, declined: string | null): PayOutcome {
  if (getSession(store, id).object.status === 'complete') return { kind: 'complete' }
  const intent = intentOfSession(store, id)
  const next = intent?.next_action
  const url =
    next?.redirect_to_url?.url ?? (next?.use_stripe_sdk as { stripe_js?: string } | undefined)?.stripe_js
  if (intent?.status === 'requires_action' && url) return { kind: 'challenge', url }
  return { kind: 'declined', message: declined ?? lastError(intent) ?? 'This page cannot be used any more.' }
}

/** What the session is paid, or a card is saved, with. Null before the first try. */
export function intentOfSession(store: Store, id: string): Stripe.PaymentIntent | Stripe.SetupIntent | null {
  const { object: session, hidden } = getSession(store, id)
  const subscription = hidden.begun ? store.find('subscription', hidden.begun)?.object : null
  return (
    store.find('payment_intent', idOf(session.payment_intent) ?? '')?.object ??
    store.find('setup_intent', idOf(session.setup_intent) ?? '')?.object ??
    (subscription ? intentOf(store, latestInvoice(store, subscription)) : null)
  )
}

export function lastError(
  intent: Stripe.PaymentIntent | Stripe.SetupIntent | null | undefined,
): string | null {
  if (!intent) return null
  const error = intent.object === 'payment_intent' ? intent.last_payment_error : intent.last_setup_error
  return error?.message ?? null
}

function latestInvoice(store: Store, subscription: Stripe.Subscription): Invoice {
  return getInvoice(store, idOf(subscription.latest_invoice) ?? '')
}

/** The customer of the session; one is made when it is wanted. Null when nobody needs one. */
function customerOf(call: Call, session: Session, payer: Payer, wanted: boolean): string | null {
  const known = idOf(session.customer)
  if (known || !wanted) return known
  const { id } = createCustomer(call, { email: payer.email, name: payer.name })
  call.store.save('checkout.session', { ...getSession(call.store, session.id).object, customer: id })
  return id
}

function rememberPayer(store: Store, id: string, { email, name }: Payer): void {
  const { object } = getSession(store, id)
  const known = object.customer_details
  const details = customerDetails({ email: known?.email ?? email, name: name ?? known?.name ?? null })
  store.save('checkout.session', { ...object, customer_details: details })
}

/** The subscription's id is known before it is made, so that its first payment finds its session. */
function reserveSubscription(store: Store, id: string): string {
  const { object, hidden } = getSession(store, id)
  const begun = newId('subscription')
  store.save('checkout.session', object, { ...hidden, begun })
  return begun
}

function openSessions(store: Store, sql: string, id: string) {
  return store.select('checkout.session', [{ sql: `${sql} and data ->> '$.status' = 'open'`, values: [id] }])
}

/** On our own page the customer leaves for the bank and comes back; in the shop's page Stripe.js asks. */
function onPage(store: Store, id: string): { useStripeSdk: boolean; returnUrl: string | null } {
  const hosted = getSession(store, id).object.ui_mode === 'hosted_page'
  return hosted
    ? { useStripeSdk: false, returnUrl: pageUrl(store, id) }
    : { useStripeSdk: true, returnUrl: null }
}

function pageUrl(store: Store, id: string): string {
  return `${store.config.baseUrl}/c/pay/${id}`
}
