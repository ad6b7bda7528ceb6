import type Stripe from 'stripe'
import { formatAmount } from '../core/currencies.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import type { Call } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { integer, oneOf, type ReadParams, unsupported, word } from '../http/params.ts'
import { issueRefund, tellUpdated } from './issue-refund.ts'

const createParams = {
  amount: integer({ min: 1 }),
  charge: word(),
  payment_intent: word(),
  reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
  metadata: metadata(),
  ...unsupported(
    'currency',
    'customer',
    'instructions_email',
    'origin',
    'refund_application_fee',
    'reverse_transfer',
  ),
}

export const refundOperations = [
  operation({
    method: 'POST',
    path: '/v1/refunds',
    params: createParams,
    handle(call, params) {
      const charge = chargeToRefund(call.store, params)
      const amountMinor = refundableAmount(charge, params.amount)
      const { reason, metadata } = params
      return issueRefund(call, charge, { amountMinor, reason: reason ?? null, metadata })
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/refunds/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getRefund(store, id),
  }),
  operation({
    method: 'POST',
    path: '/v1/refunds/:id',
    params: { metadata: metadata() },
    handle: (call, params, { id }) => relabel(call, getRefund(call.store, id), params.metadata),
  }),
  operation({
    method: 'POST',
    path: '/v1/refunds/:id/cancel',
    params: {},
    handle({ store }, _params, { id }) {
      // Only refunds that wait for the customer's bank details can be taken back; refunds to cards never do.
      const { status } = getRefund(store, id)
      throw refused(`You cannot cancel a refund with a status of ${status}. It must be requires_action.`)
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/refunds',
    params: { ...listParams, charge: word(), payment_intent: word() },
    handle({ store }, { charge, payment_intent, ...page }) {
      const conditions = Object.entries({ charge, payment_intent }).flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      return listObjects(store, 'refund', '/v1/refunds', page, conditions)
    },
  }),
]

export function getRefund(store: Store, id: string): Stripe.Refund {
  const found = store.find('refund', id)
  if (!found) throw noSuch('refund', id, 'id', 404)
  return found.object
}

/** The charge that is named directly or through its PaymentIntent. @throws StripeError when none of its money can go back. */
export function chargeToRefund(
  store: Store,
  { charge, payment_intent }: Pick<ReadParams<typeof createParams>, 'charge' | 'payment_intent'>,
): Stripe.Charge {
  if (charge && payment_intent) {
    throw refused('You may only specify one of these parameters: charge, payment_intent.', {}, true)
  }
  if (!charge && !payment_intent) {
    const message =
      'One of the following params should be provided for this request: payment_intent or charge.'
    throw refused(message, { code: 'parameter_missing' }, true)
  }
  const found = charge ? chargeNamed(store, charge) : chargeOfIntent(store, payment_intent ?? '')
  assertRefundable(store, found)
  return found
}

/** All that is left unless an amount is asked for. @throws StripeError for more than is left (stripe.R9). */
export function refundableAmount(charge: Stripe.Charge, wantedMinor: number | undefined): number {
  const left = charge.amount - charge.amount_refunded
  const amount = wantedMinor ?? left
  if (amount <= left) return amount
  const [wanted, rest] = [amount, left].map((value) => formatAmount(value, charge.currency))
  throw refused(`Refund amount (${wanted}) is greater than unrefunded amount on charge (${rest})`, {
    param: 'amount',
  })
}

function chargeNamed(store: Store, id: string): Stripe.Charge {
  const found = store.find('charge', id)
  if (!found) throw noSuch('charge', id, 'charge', 400)
  if (found.object.status === 'succeeded') return found.object
  throw refused(`Charge ${id} was not successful, so there is nothing to refund.`, {
    code: 'charge_not_refundable',
  })
}

function chargeOfIntent(store: Store, id: string): Stripe.Charge {
  const intent = store.find('payment_intent', id)
  if (!intent) throw noSuch('payment_intent', id, 'payment_intent', 400)
  const charge = store.find('charge', idOf(intent.object.latest_charge) ?? '')
  if (charge && charge.object.status === 'succeeded') return charge.object
  throw refused(`This PaymentIntent (${id}) does not have a successful charge to refund.`)
}

function assertRefundable(store: Store, charge: Stripe.Charge): void {
  if (charge.refunded) {
    throw refused(`Charge ${charge.id} has already been refunded.`, { code: 'charge_already_refunded' })
  }
  if (!charge.captured) {
    throw refused(
      `Charge ${charge.id} has not been captured. Cancel the PaymentIntent to release the authorization.`,
      { code: 'charge_not_refundable' },
    )
  }
  const disputes = store.select('dispute', [{ sql: "data ->> '$.charge' = ?", values: [charge.id] }])
  if (disputes.some(({ object }) => ['needs_response', 'under_review', 'lost'].includes(object.status))) {
    throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: 'charge_disputed',
    })
  }
}

function relabel(
  call: Call,
  before: Stripe.Refund,
  change: ReadParams<typeof createParams>['metadata'],
): Stripe.Refund {
  const after = { ...before, metadata: mergeMetadata(before.metadata ?? {}, change) }
  call.store.save('refund', after)
  tellUpdated(call, before, after)
  return after
}

function refused(
  message: string,
  more: { code?: string; param?: string } = {},
  beforeExecution = false,
): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message, ...more }, { beforeExecution })
}
