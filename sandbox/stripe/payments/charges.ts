import type Stripe from 'stripe'
import { cardProblem } from '../cards/declines.ts'
import type { ThreeDSecureResult } from '../cards/issuer.ts'
import { type Decline, type TestCard, testCard } from '../cards/test-cards.ts'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { text, unsupported, word } from '../http/params.ts'

/** A bank holds the money for a week (stripe.P13). */
export const AUTHORIZED_SECONDS = 7 * 24 * 60 * 60

const STATEMENT_NAME = 'LOCAL STAND-IN'

/** How one try to take the money ended. */
export type ChargeResult = { decline: Decline | null; threeDSecure: ThreeDSecureResult | null }

/** Write the charge of a try. The caller tells the world. */
export function createCharge(
  store: Store,
  intent: Stripe.PaymentIntent,
  paymentMethod: Found<'payment_method'>,
  result: ChargeResult,
): Stripe.Charge {
  const card = testCard(paymentMethod.hidden.card)
  const problem = result.decline && cardProblem(result.decline.code, result.decline.declineCode)
  const succeeded = problem === null
  const captured = succeeded && intent.capture_method !== 'manual'
  return store.insert(
    'charge',
    {
      id: newId('charge'),
      object: 'charge',
      amount: intent.amount,
      amount_captured: captured ? intent.amount : 0,
      amount_refunded: 0,
      application: null,
      application_fee: null,
      application_fee_amount: null,
      balance_transaction: null,
      billing_details: paymentMethod.object.billing_details,
      calculated_statement_descriptor: statementDescriptor(intent),
      captured,
      created: store.clock.now(),
      currency: intent.currency,
      customer: idOf(intent.customer),
      description: intent.description,
      disputed: false,
      failure_balance_transaction: null,
      failure_code: problem?.code ?? null,
      failure_message: problem?.message ?? null,
      fraud_details: {},
      livemode: false,
      metadata: intent.metadata,
      on_behalf_of: null,
      outcome: outcome(card, result.decline),
      paid: succeeded,
      payment_intent: intent.id,
      payment_method: paymentMethod.object.id,
      payment_method_details: { type: 'card', card: cardDetails(store, intent, paymentMethod, result) },
      receipt_email: intent.receipt_email,
      receipt_number: null,
      receipt_url: null,
      refunded: false,
      review: null,
      shipping: intent.shipping,
      source: null,
      source_transfer: null,
      statement_descriptor: intent.statement_descriptor,
      statement_descriptor_suffix: intent.statement_descriptor_suffix,
      status: succeeded ? 'succeeded' : 'failed',
      transfer_data: null,
      transfer_group: intent.transfer_group,
    },
    {},
  )
}

export const chargeOperations = [
  operation({
    method: 'GET',
    path: '/v1/charges/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getCharge(store, id),
  }),
  operation({
    method: 'POST',
    path: '/v1/charges/:id',
    params: {
      description: text(),
      metadata: metadata(),
      receipt_email: text(),
      ...unsupported('customer', 'fraud_details', 'shipping', 'transfer_group'),
    },
    handle(call, params, { id }) {
      const before = getCharge(call.store, id)
      const after = withGiven(before, {
        description: params.description,
        receipt_email: params.receipt_email,
        metadata: mergeMetadata(before.metadata, params.metadata),
      })
      const changed = previousAttributes(before, after)
      call.store.save('charge', after)
      if (changed) recordEvent(call, 'charge.updated', after, changed)
      return after
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/charges',
    params: { ...listParams, customer: word(), payment_intent: word(), ...unsupported('transfer_group') },
    handle({ store }, { customer, payment_intent, ...page }) {
      const conditions = [
        ...(customer ? [{ sql: 'customer = ?', values: [customer] }] : []),
        ...(payment_intent ? [{ sql: "data ->> '$.payment_intent' = ?", values: [payment_intent] }] : []),
      ]
      return listObjects(store, 'charge', '/v1/charges', page, conditions)
    },
  }),
]

export function getCharge(store: Store, id: string): Stripe.Charge {
  const found = store.find('charge', id)
  if (!found) throw noSuch('charge', id, 'charge', 404)
  return found.object
}

function outcome({ risk }: TestCard, decline: Decline | null): Stripe.Charge.Outcome {
  const common = { advice_code: null, network_advice_code: null, network_decline_code: null }
  const risk_score = { normal: 20, elevated: 70, highest: 92 }[risk]
  const shared = { ...common, risk_level: risk, risk_score }
  if (!decline) {
    return {
      ...shared,
      network_status: 'approved_by_network',
      reason: risk === 'elevated' ? 'elevated_risk_level' : null,
      seller_message: 'Payment complete.',
      type: 'authorized',
    }
  }
  if (risk === 'highest') {
    return {
      ...shared,
      network_status: 'not_sent_to_network',
      reason: 'highest_risk_level',
      seller_message: 'The local stand-in blocked this payment as too risky.',
      type: 'blocked',
    }
  }
  return {
    ...shared,
    network_status: 'declined_by_network',
    reason: decline.declineCode ?? decline.code,
    seller_message: 'The bank did not approve this payment.',
    type: 'issuer_declined',
  }
}

function cardDetails(
  store: Store,
  intent: Stripe.PaymentIntent,
  { object }: Found<'payment_method'>,
  { decline, threeDSecure }: ChargeResult,
): Stripe.Charge.PaymentMethodDetails.Card {
  const card = object.card
  if (!card) throw new Error(`${object.id} is no card`)
  return {
    amount_authorized: decline ? null : intent.amount,
    authorization_code: null,
    brand: card.brand,
    ...(intent.capture_method === 'manual' && !decline
      ? { capture_before: store.clock.now() + AUTHORIZED_SECONDS }
      : {}),
    checks: card.checks,
    country: card.country,
    electronic_commerce_indicator: threeDSecure === 'authenticated' ? '05' : null,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    extended_authorization: { status: 'disabled' },
    fingerprint: card.fingerprint,
    funding: card.funding,
    incremental_authorization: { status: 'unavailable' },
    installments: null,
    last4: card.last4,
    mandate: null,
    multicapture: { status: 'unavailable' },
    network: card.brand,
    network_token: { used: false },
    network_transaction_id: null,
    overcapture: { maximum_amount_capturable: intent.amount, status: 'unavailable' },
    regulated_status: card.regulated_status,
    three_d_secure: threeDSecure && threeDSecureDetails(threeDSecure),
    transaction_link_id: null,
    wallet: null,
  }
}

function threeDSecureDetails(
  result: ThreeDSecureResult,
): Stripe.Charge.PaymentMethodDetails.Card.ThreeDSecure {
  const challenged = result === 'authenticated'
  return {
    authentication_flow: challenged ? 'challenge' : null,
    electronic_commerce_indicator: challenged ? '05' : null,
    exemption_indicator: null,
    result,
    result_reason: result === 'attempt_acknowledged' ? 'card_not_enrolled' : null,
    transaction_id: null,
    version: '2.2.0',
  }
}

function statementDescriptor({
  statement_descriptor,
  statement_descriptor_suffix,
}: Stripe.PaymentIntent): string {
  if (statement_descriptor) return statement_descriptor
  return statement_descriptor_suffix ? `${STATEMENT_NAME}* ${statement_descriptor_suffix}` : STATEMENT_NAME
}
