import type Stripe from 'stripe'
import { type GivenCard, type KeptCard, readCard, readTemplate } from '../cards/read-card.ts'
import { testCard } from '../cards/test-cards.ts'
import { billingDetails, toBillingDetails } from '../core/address.ts'
import { newId } from '../core/ids.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { missingParameter, noSuch, StripeError } from '../http/errors.ts'
import { fields, integer, oneOf, type ReadParams, required, unsupported, word } from '../http/params.ts'
import { cardDeclined } from './card-error.ts'

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
