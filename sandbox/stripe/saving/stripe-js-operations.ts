import type Stripe from 'stripe'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { forbidden, noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { required, word } from '../http/params.ts'
import { present } from '../http/present.ts'
import { detach } from '../payments/payment-methods.ts'
import { stripeJsTokenOperation } from './confirmation-tokens.ts'
import { type OpenSession, openSession } from './customer-sessions.ts'

/** Addresses that Stripe.js calls on behalf of a page. They are not part of the API that servers use, and no SDK has them. */
export const stripeJsOperations = [
  stripeJsTokenOperation,
  /** What the Payment Element may show of a customer, and offer. */
  operation({
    method: 'GET',
    path: '/v1/elements/sessions',
    publishable: true,
    contract: null,
    params: { customer_session_client_secret: required(word()) },
    handle({ store }, { customer_session_client_secret }) {
      const session = openSession(store, customer_session_client_secret)
      const methods = redisplayed(store, session)
      return {
        object: 'elements_session',
        customer: session.customer,
        features: session.features,
        payment_methods: methods.map((method) => present({ ...method }, 'publishable')),
      }
    },
  }),
  /** The customer takes a card off their list. */
  operation({
    method: 'POST',
    path: '/v1/elements/sessions/detach',
    publishable: true,
    contract: { method: 'POST', path: '/v1/payment_methods/:id/detach' },
    params: { customer_session_client_secret: required(word()), payment_method: required(word()) },
    handle(call, { customer_session_client_secret, payment_method }) {
      const { customer, features } = openSession(call.store, customer_session_client_secret)
      if (features.payment_method_remove !== 'enabled') {
        throw forbidden('This CustomerSession does not allow payment methods to be removed.')
      }
      const found = call.store.find('payment_method', payment_method)
      if (!found || idOf(found.object.customer) !== customer) {
        throw noSuch('PaymentMethod', payment_method, 'payment_method', 400)
      }
      return detach(call, found)
    },
  }),
]

function redisplayed(store: Store, { customer, features }: OpenSession): Stripe.PaymentMethod[] {
  if (features.payment_method_redisplay !== 'enabled') return []
  const ofCustomer = [{ sql: 'customer = ?', values: [customer] }]
  const filters = features.payment_method_allow_redisplay_filters
  return store
    .select('payment_method', ofCustomer)
    .map(({ object }) => object)
    .filter(({ allow_redisplay }) => filters.includes(allow_redisplay ?? 'unspecified'))
    .slice(0, features.payment_method_redisplay_limit ?? undefined)
}
