import type Stripe from 'stripe'
import { address, recipient, toAddress, toShipping } from '../core/address.ts'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { newId, randomText } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { clearable, list, oneOf, type ReadParams, text, unsupported, word } from '../http/params.ts'
import { getCustomer } from './find-customer.ts'
import { attach, detach, referencedPaymentMethod } from './payment-methods.ts'

const shared = {
  address: clearable(address()),
  business_name: text(),
  description: text(),
  email: text({ max: 512 }),
  individual_name: text(),
  metadata: metadata(),
  name: text({ max: 256 }),
  phone: text({ max: 50 }),
  preferred_locales: list(word()),
  shipping: clearable(recipient()),
  tax_exempt: clearable(oneOf('none', 'exempt', 'reverse')),
  ...unsupported(
    'balance',
    'cash_balance',
    'invoice_prefix',
    'invoice_settings',
    'next_invoice_sequence',
    'source',
    'tax',
    'validate',
  ),
}

export const customerOperations = [
  operation({
    method: 'POST',
    path: '/v1/customers',
    params: { ...shared, payment_method: word(), ...unsupported('tax_id_data', 'test_clock') },
    handle(call, params) {
      const customer = applied(newCustomer(call.store), params)
      call.store.insert('customer', customer, {})
      recordEvent(call, 'customer.created', customer)
      if (params.payment_method) {
        attach(call, referencedPaymentMethod(call.store, params.payment_method), customer.id)
      }
      return customer
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/customers/:id',
    params: {},
    handle({ store }, _params, { id }) {
      const found = store.find('customer', id)
      if (!found) throw noSuch('customer', id, 'id', 404)
      return found.deleted ? deletedCustomer(id) : found.object
    },
  }),
  operation({
    method: 'POST',
    path: '/v1/customers/:id',
    params: { ...shared, ...unsupported('default_source') },
    handle(call, params, { id }) {
      const before = getCustomer(call.store, id)
      const after = applied(before, params)
      const changed = previousAttributes(before, after)
      call.store.save('customer', after)
      if (changed) recordEvent(call, 'customer.updated', after, changed)
      return after
    },
  }),
  operation({
    method: 'DELETE',
    path: '/v1/customers/:id',
    params: {},
    handle(call, _params, { id }) {
      const customer = getCustomer(call.store, id)
      const ofCustomer = [{ sql: 'customer = ?', values: [id] }]
      for (const paymentMethod of call.store.select('payment_method', ofCustomer)) detach(call, paymentMethod)
      call.store.markDeleted(id)
      recordEvent(call, 'customer.deleted', customer)
      return deletedCustomer(id)
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/customers',
    params: { ...listParams, email: word(), ...unsupported('test_clock') },
    handle({ store }, { email, ...page }) {
      const byEmail = email ? [{ sql: "data ->> '$.email' = ?", values: [email] }] : []
      return listObjects(store, 'customer', '/v1/customers', page, byEmail)
    },
  }),
]

function applied(customer: Stripe.Customer, params: ReadParams<typeof shared>): Stripe.Customer {
  const { address, shipping, metadata, business_name, individual_name, preferred_locales, ...plain } = params
  return withGiven(customer, {
    ...plain,
    business_name: business_name ?? undefined,
    individual_name: individual_name ?? undefined,
    preferred_locales,
    address: address ? toAddress(address) : address,
    shipping: shipping ? toShipping(shipping) : shipping,
    metadata: mergeMetadata(customer.metadata, metadata),
  })
}

function newCustomer(store: Store): Stripe.Customer {
  return {
    id: newId('customer'),
    object: 'customer',
    address: null,
    balance: 0,
    created: store.clock.now(),
    currency: null,
    customer_account: null,
    default_source: null,
    delinquent: false,
    description: null,
    discount: null,
    email: null,
    invoice_prefix: randomText(8).toUpperCase(),
    invoice_settings: {
      custom_fields: null,
      default_payment_method: null,
      footer: null,
      rendering_options: null,
    },
    livemode: false,
    metadata: {},
    name: null,
    next_invoice_sequence: 1,
    phone: null,
    preferred_locales: [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: null,
  }
}

function deletedCustomer(id: string): Stripe.DeletedCustomer {
  return { id, object: 'customer', deleted: true }
}
