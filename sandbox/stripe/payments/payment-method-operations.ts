import { billingDetails, toBillingDetails } from '../core/address.ts'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { listObjects, pageParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import { recordEvent } from '../events/record.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { fields, integer, oneOf, required, unsupported, word } from '../http/params.ts'
import { getCustomer, referencedCustomer } from './find-customer.ts'
import {
  attach,
  createPaymentMethod,
  detach,
  type NewPaymentMethod,
  newPaymentMethodParams,
  referencedPaymentMethod,
} from './payment-methods.ts'

export const paymentMethodOperations = [
  operation({
    method: 'POST',
    path: '/v1/payment_methods',
    publishable: true,
    params: { ...newPaymentMethodParams, ...unsupported('customer', 'payment_method') },
    handle: (call, params) => createPaymentMethod(call, params).object,
  }),
  operation({
    method: 'GET',
    path: '/v1/payment_methods/:id',
    params: {},
    handle: ({ store }, _params, { id }) => referencedPaymentMethod(store, id, 404).object,
  }),
  operation({
    method: 'POST',
    path: '/v1/payment_methods/:id',
    params: {
      billing_details: billingDetails(),
      metadata: metadata(),
      allow_redisplay: oneOf('always', 'limited', 'unspecified'),
      card: fields({ exp_month: integer({ min: 1, max: 12 }), exp_year: integer({ min: 2000, max: 2100 }) }),
    },
    handle(call, params, { id }) {
      const { object } = referencedPaymentMethod(call.store, id, 404)
      if (idOf(object.customer) === null) {
        throw new StripeError(400, {
          type: 'invalid_request_error',
          message: 'You must save this PaymentMethod to a customer before you can update it.',
        })
      }
      const after = withGiven(object, {
        billing_details: params.billing_details && {
          ...object.billing_details,
          ...withGiven(object.billing_details, toGivenBilling(params.billing_details)),
        },
        card: object.card && params.card ? withGiven(object.card, params.card) : undefined,
        allow_redisplay: params.allow_redisplay,
        metadata: mergeMetadata(object.metadata ?? {}, params.metadata),
      })
      const changed = previousAttributes(object, after)
      call.store.save('payment_method', after)
      if (changed) recordEvent(call, 'payment_method.updated', after, changed)
      return after
    },
  }),
  operation({
    method: 'POST',
    path: '/v1/payment_methods/:id/attach',
    params: { customer: required(word()), ...unsupported('customer_account') },
    handle(call, { customer }, { id }) {
      referencedCustomer(call.store, customer)
      return attach(call, referencedPaymentMethod(call.store, id, 404), customer)
    },
  }),
  operation({
    method: 'POST',
    path: '/v1/payment_methods/:id/detach',
    params: {},
    handle: (call, _params, { id }) => detach(call, referencedPaymentMethod(call.store, id, 404)),
  }),
  operation({
    method: 'GET',
    path: '/v1/payment_methods',
    params: { ...pageParams, type: oneOf('card'), customer: word() },
    handle({ store }, { type: _, customer, ...page }) {
      if (customer) referencedCustomer(store, customer)
      const owner = customer
        ? { sql: 'customer = ?', values: [customer] }
        : { sql: 'customer is not null', values: [] }
      return listObjects(store, 'payment_method', '/v1/payment_methods', page, [owner])
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/customers/:id/payment_methods',
    params: { ...pageParams, type: oneOf('card') },
    handle({ store }, { type: _, ...page }, { id }) {
      getCustomer(store, id)
      const url = `/v1/customers/${id}/payment_methods`
      return listObjects(store, 'payment_method', url, page, [{ sql: 'customer = ?', values: [id] }])
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/customers/:id/payment_methods/:child',
    params: {},
    handle({ store }, _params, { id, child }) {
      getCustomer(store, id)
      const found = store.find('payment_method', child)
      if (!found || idOf(found.object.customer) !== id) {
        throw noSuch('PaymentMethod', child, 'payment_method', 404)
      }
      return found.object
    },
  }),
]

function toGivenBilling(given: NonNullable<NewPaymentMethod['billing_details']>) {
  const { address: _, ...plain } = given
  return { ...plain, ...(given.address ? { address: toBillingDetails(given).address } : {}) }
}
