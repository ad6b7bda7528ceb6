import type Stripe from 'stripe'
import { type GivenCard, type KeptCard, readCard, readTemplate } from '../cards/read-card.ts'
import { testCard } from '../cards/test-cards.ts'
import { billingDetails, toBillingDetails } from '../core/address.ts'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { newId } from '../core/ids.ts'
import { listObjects, pageParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { missingParameter, noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { fields, integer, oneOf, type ReadParams, required, unsupported, word } from '../http/params.ts'
import { cardDeclined } from './card-error.ts'
import { getCustomer, referencedCustomer } from './find-customer.ts'

const cardFields = {
  number: word(),
  exp_month: integer(),
  exp_year: integer(),
  cvc: word(),
  token: word(),
  ...unsupported('networks'),
}

/** What describes a new payment method, also inside `payment_method_data`. Only cards exist here. */
export const newPaymentMethodParams = {
  type: required(oneOf('card')),
  card: required(fields(cardFields)),
  billing_details: billingDetails(),
  metadata: metadata(),
  allow_redisplay: oneOf('always', 'limited', 'unspecified'),
  ...unsupported('radar_options'),
}

export type NewPaymentMethod = ReadParams<typeof newPaymentMethodParams>
type FoundPaymentMethod = Found<'payment_method'>

/** Make and keep a payment method from card details or a token. @throws StripeError */
export function createPaymentMethod(call: Call, given: NewPaymentMethod): FoundPaymentMethod {
  const { object, kept } = readPaymentMethod(call, given)
  return insertPaymentMethod(call.store, object, kept)
}

/** The same without keeping it. */
export function readPaymentMethod(
  call: Call,
  given: NewPaymentMethod,
): { object: Stripe.PaymentMethod; kept: KeptCard } {
  const kept = given.card.token
    ? cardOfTemplate(call.store, given.card.token, 'card[token]')
    : readCard(call.store, typedCard(call, given.card))
  const object = {
    ...newCardMethod(call.store, kept),
    billing_details: toBillingDetails(given.billing_details),
    metadata: mergeMetadata({}, given.metadata),
    allow_redisplay: given.allow_redisplay ?? 'unspecified',
  }
  return { object, kept }
}

/** The payment method named in a parameter. `pm_card_...` is a template: each use makes a new one. @throws StripeError */
export function referencedPaymentMethod(
  store: Store,
  id: string,
  status: 400 | 404 = 400,
): FoundPaymentMethod {
  if (id.startsWith('pm_card_')) {
    const kept = cardOfTemplate(store, id, 'payment_method', status)
    return insertPaymentMethod(store, newCardMethod(store, kept), kept)
  }
  const found = store.find('payment_method', id)
  if (!found) throw noSuch('PaymentMethod', id, 'payment_method', status)
  return found
}

/** Without a customer a card pays once; taken off a customer it never pays again. @throws StripeError when that is over. */
export function assertUsable({ hidden }: FoundPaymentMethod): void {
  if (!hidden.spent) return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message:
      'The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.',
  })
}

/** The bank was asked for money with it: unless it is a customer's, that was its one time. */
export function spend(store: Store, { object, hidden }: FoundPaymentMethod): void {
  if (idOf(object.customer) === null) store.save('payment_method', object, { ...hidden, spent: true })
}

/** @throws StripeError 402 when the card is one that cannot be saved (stripe.C12). */
export function attach(call: Call, found: FoundPaymentMethod, customer: string): Stripe.PaymentMethod {
  const { object, hidden } = found
  const owner = idOf(object.customer)
  if (owner === customer) return object
  assertUsable(found)
  if (owner) {
    throw new StripeError(400, {
      type: 'invalid_request_error',
      message: 'The payment method you provided has already been attached to a customer.',
    })
  }
  const { attachFails, decline, declineNeedsCvc } = testCard(hidden.card)
  if (attachFails && decline && (!declineNeedsCvc || hidden.cvcGiven)) {
    throw cardDeclined(decline, { payment_method: object })
  }
  const attached = call.store.save('payment_method', { ...object, customer })
  recordEvent(call, 'payment_method.attached', attached)
  return attached
}

/** The event tells whose it was (stripe.E11). */
export function detach(call: Call, { object, hidden }: FoundPaymentMethod): Stripe.PaymentMethod {
  const owner = idOf(object.customer)
  if (!owner) {
    throw new StripeError(400, {
      type: 'invalid_request_error',
      message: 'The payment method you provided is not attached to a customer so detachment is impossible.',
    })
  }
  const detached = call.store.save(
    'payment_method',
    { ...object, customer: null },
    { ...hidden, spent: true },
  )
  recordEvent(call, 'payment_method.detached', detached, { customer: owner })
  return detached
}

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

/** Card numbers come from a browser only; a server that has one in its hands is doing something wrong. */
function typedCard(call: Call, card: ReadParams<typeof cardFields>): GivenCard {
  if (call.key === 'secret') {
    throw new StripeError(
      400,
      {
        type: 'invalid_request_error',
        message:
          'Sending credit card numbers directly to the Stripe API is generally unsafe. Use a test payment method such as pm_card_visa instead, see https://docs.stripe.com/testing.',
      },
      { beforeExecution: true },
    )
  }
  const { number, exp_month, exp_year, cvc } = card
  if (number === undefined) throw missingParameter('card[number]')
  if (exp_month === undefined) throw missingParameter('card[exp_month]')
  if (exp_year === undefined) throw missingParameter('card[exp_year]')
  return { number, exp_month, exp_year, cvc }
}

function cardOfTemplate(store: Store, id: string, param: string, status: 400 | 404 = 400): KeptCard {
  const kept = readTemplate(store, id)
  if (kept) return kept
  throw noSuch(id.startsWith('tok_') ? 'token' : 'PaymentMethod', id, param, status)
}

export function insertPaymentMethod(
  store: Store,
  object: Stripe.PaymentMethod,
  { key, cvcGiven }: Pick<KeptCard, 'key' | 'cvcGiven'>,
): FoundPaymentMethod {
  const hidden = { card: key, cvcGiven, setUp: false }
  store.insert('payment_method', object, hidden)
  return { object, hidden, deleted: false }
}

function newCardMethod(store: Store, kept: KeptCard): Stripe.PaymentMethod {
  const { brand, country, funding, threeDSecure, checks } = testCard(kept.key)
  return {
    id: newId('payment_method'),
    object: 'payment_method',
    allow_redisplay: 'unspecified',
    billing_details: toBillingDetails(undefined),
    card: {
      brand,
      checks: {
        address_line1_check: null,
        address_postal_code_check: null,
        cvc_check: kept.cvcGiven ? checks.cvc : null,
      },
      country,
      display_brand: brand,
      exp_month: kept.expMonth,
      exp_year: kept.expYear,
      fingerprint: kept.fingerprint,
      funding,
      generated_from: null,
      last4: kept.last4,
      networks: { available: [brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: threeDSecure !== 'unsupported' },
      wallet: null,
    },
    created: store.clock.now(),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  }
}

function toGivenBilling(given: NonNullable<NewPaymentMethod['billing_details']>) {
  const { address: _, ...plain } = given
  return { ...plain, ...(given.address ? { address: toBillingDetails(given).address } : {}) }
}
