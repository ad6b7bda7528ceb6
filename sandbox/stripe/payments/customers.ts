import type Stripe from 'stripe'
import { inTimeOf } from '../billing/clock-time.ts'
import { address, recipient, toAddress, toShipping } from '../core/address.ts'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { newId, randomText } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { clearable, fields, list, oneOf, type ReadParams, text, unsupported, word } from '../http/params.ts'
import { getCustomer } from './find-customer.ts'
import { attach, detach, referencedPaymentMethod } from './payment-methods.ts'

const invoiceSettings = fields({
  default_payment_method: text(),
  ...unsupported('custom_fields', 'footer', 'rendering_options'),
})

const shared = {
  address: clearable(address()),
  business_name: text(),
  description: text(),
  email: text({ max: 512 }),
  individual_name: text(),
  invoice_settings: invoiceSettings,
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
    params: { ...shared, payment_method: word(), test_clock: word(), ...unsupported('tax_id_data') },
    handle(call, params) {
      return inTimeOf(call.store, params.test_clock, () => createCustomer(call, params))
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
      const { invoice_settings, ...fields } = params
      const after = withInvoiceSettings(call.store, applied(before, fields), invoice_settings)
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
    params: { ...listParams, email: word(), test_clock: word() },
    handle({ store }, { email, test_clock, ...page }) {
      const byEmail = email ? [{ sql: "data ->> '$.email' = ?", values: [email] }] : []
      const byClock = test_clock ? [{ sql: "data ->> '$.test_clock' = ?", values: [test_clock] }] : []
      return listObjects(store, 'customer', '/v1/customers', page, [...byEmail, ...byClock])
    },
  }),
]

type NewCustomer = Partial<ReadParams<typeof shared>> & {
  payment_method?: string | undefined
  test_clock?: string | undefined
}

/** @throws StripeError when the card cannot be saved, or is not the customer's. */
export function createCustomer(call: Call, params: NewCustomer): Stripe.Customer {
  const { payment_method, test_clock, invoice_settings, ...fields } = params
  const customer = { ...applied(newCustomer(call.store), fields), test_clock: test_clock ?? null }
  call.store.insert('customer', customer, {})
  recordEvent(call, 'customer.created', customer)
  const attached = payment_method
    ? attach(call, referencedPaymentMethod(call.store, payment_method), customer.id).id
    : null
  if (!invoice_settings) return customer
  const named = invoice_settings.default_payment_method
  // A template such as pm_card_visa, named twice, is one card.
  const card = named === payment_method ? attached : named
  return call.store.save(
    'customer',
    withInvoiceSettings(call.store, customer, { ...invoice_settings, default_payment_method: card }),
  )
}

function withInvoiceSettings(
  store: Store,
  customer: Stripe.Customer,
  given: { default_payment_method?: string | null | undefined } | undefined,
): Stripe.Customer {
  const id = given?.default_payment_method
  if (id === undefined) return customer
  if (id !== null) assertOwns(store, customer.id, id)
  return { ...customer, invoice_settings: { ...customer.invoice_settings, default_payment_method: id } }
}

/** An invoice is paid with the customer's own cards only. */
function assertOwns(store: Store, customer: string, paymentMethod: string): void {
  const found = store.find('payment_method', paymentMethod)
  if (!found) throw noSuch('PaymentMethod', paymentMethod, 'invoice_settings[default_payment_method]', 400)
  if (idOf(found.object.customer) === customer) return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message: `The customer does not have a payment method with the ID ${paymentMethod}. The payment method must be attached to the customer.`,
    param: 'invoice_settings[default_payment_method]',
  })
}

function applied(
  customer: Stripe.Customer,
  params: Partial<Omit<ReadParams<typeof shared>, 'invoice_settings'>>,
): Stripe.Customer {
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
