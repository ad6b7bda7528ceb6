import type Stripe from 'stripe'
import { unitAmount } from '../billing/price.ts'
import { findCurrency } from '../core/currencies.ts'
import type { Store } from '../core/store.ts'
import { StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { fields, required, text, word } from '../http/params.ts'
import { createPaymentMethod, newPaymentMethodParams } from '../payments/payment-methods.ts'
import { checkoutView } from './checkout-view.ts'
import { intentOfSession, paySession } from './pay-session.ts'
import { getSession } from './sessions.ts'

const PATH = '/v1/elements/checkout_sessions/:id'

/**
 * What Stripe.js needs for a session with `ui_mode: elements`, whose fields are in the shop's own page. Not part of the API that
 * servers use, and no SDK has it.
 */
export const checkoutElementsOperations = [
  operation({
    method: 'GET',
    path: PATH,
    publishable: true,
    contract: null,
    params: { client_secret: required(word()) },
    handle({ store }, { client_secret }, { id }) {
      assertSecret(store, id, client_secret)
      return publicView(store, id)
    },
  }),
  operation({
    method: 'POST',
    path: `${PATH}/confirm`,
    publishable: true,
    contract: null,
    params: {
      client_secret: required(word()),
      email: word(),
      name: text(),
      payment_method_data: fields(newPaymentMethodParams),
    },
    handle(call, { client_secret, email, name, payment_method_data }, { id }) {
      const { store } = call
      assertSecret(store, id, client_secret)
      const card = payment_method_data ? createPaymentMethod(call, payment_method_data) : null
      if (!card && checkoutView(store, id).needsCard) throw refused('A payment method is needed.')
      const known = getSession(store, id).object.customer_details?.email
      const outcome = paySession(call, id, { email: known ?? email ?? null, name: name ?? null, card })
      return { object: 'elements_checkout_confirmation', outcome, session: publicView(store, id) }
    },
  }),
]

/** Amounts are in minor units. */
function publicView(store: Store, id: string) {
  const { session, items, trialDays, dueMinor, needsCard } = checkoutView(store, id)
  const currency = session.currency ?? 'usd'
  return {
    object: 'elements_checkout_session',
    id,
    livemode: session.livemode,
    status: session.status,
    payment_status: session.payment_status,
    mode: session.mode,
    currency,
    currency_exponent: findCurrency(currency)?.exponent ?? 2,
    amount_subtotal: session.amount_subtotal,
    amount_discount: session.total_details?.amount_discount ?? 0,
    amount_total: session.amount_total,
    amount_due: dueMinor,
    trial_days: trialDays,
    needs_payment_method: needsCard,
    last_payment_error: lastPaymentError(store, id),
    email: session.customer_details?.email ?? null,
    return_url: session.return_url?.replaceAll('{CHECKOUT_SESSION_ID}', id) ?? null,
    line_items: items.map(lineItemView),
  }
}

function lineItemView(item: Stripe.LineItem) {
  const { price } = item
  return {
    id: item.id,
    description: item.description,
    quantity: item.quantity,
    amount_subtotal: item.amount_subtotal,
    amount_discount: item.amount_discount,
    amount_total: item.amount_total,
    price: price?.id ?? null,
    unit_amount: price ? unitAmount(price) : null,
    recurring: price?.recurring
      ? {
          interval: price.recurring.interval,
          interval_count: price.recurring.interval_count,
          usage_type: price.recurring.usage_type,
        }
      : null,
  }
}

/** Why the latest try failed; null before the first, and while the bank is asking. */
function lastPaymentError(store: Store, id: string) {
  const intent = intentOfSession(store, id)
  if (intent?.status !== 'requires_payment_method') return null
  const error = intent.object === 'payment_intent' ? intent.last_payment_error : intent.last_setup_error
  return error ? { message: error.message ?? '', decline_code: error.decline_code ?? null } : null
}

/** A finished session has no secret any more, but the page that finished it may still read how it went. */
function assertSecret(store: Store, id: string, clientSecret: string): void {
  const { hidden } = getSession(store, id)
  if (hidden.clientSecret !== null && hidden.clientSecret === clientSecret) return
  throw refused('The client_secret does not belong to this Checkout Session.')
}

function refused(message: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, param: 'client_secret' })
}
