import type Stripe from 'stripe'
import type { Store } from '../core/store.ts'
import { StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { fields, required, text, word } from '../http/params.ts'
import { createPaymentMethod, newPaymentMethodParams } from '../payments/payment-methods.ts'
import { checkoutView } from './checkout-view.ts'
import { paySession } from './pay-session.ts'
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

function publicView(store: Store, id: string) {
  const { session, items, dueMinor, needsCard } = checkoutView(store, id)
  return {
    object: 'elements_checkout_session',
    id,
    status: session.status,
    payment_status: session.payment_status,
    mode: session.mode,
    currency: session.currency,
    amount_subtotal: session.amount_subtotal,
    amount_total: session.amount_total,
    amount_due: dueMinor,
    needs_payment_method: needsCard,
    email: session.customer_details?.email ?? null,
    return_url: session.return_url ?? null,
    line_items: items.map(({ id: item, description, quantity, amount_total }) => ({
      id: item,
      description,
      quantity,
      amount_total,
    })),
  }
}

function assertSecret(store: Store, id: string, clientSecret: string): Stripe.Checkout.Session {
  const { object } = getSession(store, id)
  if (object.client_secret !== null && object.client_secret === clientSecret) return object
  throw refused('The client_secret does not belong to an open Checkout Session.')
}

function refused(message: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, param: 'client_secret' })
}
