import type Stripe from 'stripe'
import { pageOf } from '../billing/embedded-list.ts'
import { expireSession } from '../billing/expire-checkout.ts'
import { listObjects, listParams, pageParams } from '../core/list.ts'
import { mergeMetadata } from '../core/metadata.ts'
import type { Found, Store } from '../core/store.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { fields, oneOf, required, unsupported, word } from '../http/params.ts'
import { createSession } from './new-session.ts'
import { createParams, updateParams } from './session-params.ts'

const URL = '/v1/checkout/sessions'

export const checkoutOperations = [
  operation({ method: 'POST', path: URL, params: createParams, handle: createSession }),
  operation({
    method: 'GET',
    path: `${URL}/:id`,
    params: {},
    handle: ({ store }, _params, { id }) => getSession(store, id).object,
  }),
  operation({
    method: 'POST',
    path: `${URL}/:id`,
    params: updateParams,
    handle({ store }, { metadata }, { id }) {
      const { object } = getSession(store, id)
      return store.save('checkout.session', {
        ...object,
        metadata: mergeMetadata(object.metadata ?? {}, metadata),
      })
    },
  }),
  operation({
    method: 'POST',
    path: `${URL}/:id/expire`,
    params: {},
    handle(call, _params, { id }) {
      const { object } = getSession(call.store, id)
      if (object.status === 'open') return expireSession(call, id)
      throw new StripeError(400, {
        type: 'invalid_request_error',
        message: `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of \`${object.status}\`.`,
      })
    },
  }),
  operation({
    method: 'GET',
    path: `${URL}/:id/line_items`,
    params: pageParams,
    handle: ({ store }, page, { id }) =>
      pageOf(`${URL}/${id}/line_items`, getSession(store, id).hidden.lineItems, page),
  }),
  operation({
    method: 'GET',
    path: URL,
    params: {
      ...listParams,
      customer: word(),
      customer_details: fields({ email: required(word()) }),
      payment_intent: word(),
      status: oneOf('complete', 'expired', 'open'),
      subscription: word(),
      ...unsupported('customer_account', 'payment_link'),
    },
    handle({ store }, { customer, customer_details, payment_intent, status, subscription, ...page }) {
      const email = customer_details?.email
      const equal = Object.entries({
        customer,
        payment_intent,
        status,
        subscription,
        'customer_details.email': email,
      })
      const conditions = equal.flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      return listObjects(store, 'checkout.session', URL, page, conditions)
    },
  }),
]

export function getSession(store: Store, id: string): Found<'checkout.session'> {
  const found = store.find('checkout.session', id)
  if (!found) throw noSuch('checkout.session', id, 'session', 404)
  return found
}

/** Where the customer goes when all is done (stripe.L6). */
export function successUrl({ id, success_url }: Stripe.Checkout.Session): string | null {
  return success_url?.replaceAll('{CHECKOUT_SESSION_ID}', id) ?? null
}
