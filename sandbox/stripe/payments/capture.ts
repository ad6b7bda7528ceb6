import type Stripe from 'stripe'
import { withGiven } from '../core/changes.ts'
import { formatAmount } from '../core/currencies.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { scheduleAftermath } from '../disputes/aftermath.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall, type Call } from '../http/call.ts'
import { StripeError, unsupportedParameter } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { boolean, integer, type ReadParams, text, unsupported } from '../http/params.ts'
import { assertCapturable, getIntent } from './intent-rules.ts'
import { releaseAuthorization } from './issue-refund.ts'
import { bookCharge } from './settle-charge.ts'

type Intent = Stripe.PaymentIntent

const captureParams = {
  amount_to_capture: integer({ min: 1 }),
  final_capture: boolean(),
  metadata: metadata(),
  statement_descriptor: text({ max: 22 }),
  statement_descriptor_suffix: text({ max: 22 }),
  ...unsupported('amount_details', 'application_fee_amount', 'hooks', 'payment_details', 'transfer_data'),
}

export const captureOperations = [
  operation({
    method: 'POST',
    path: '/v1/payment_intents/:id/capture',
    params: captureParams,
    handle: (call, params, { id }) => capture(call, getIntent(call, id), params),
  }),
]

/** Take the authorized money, or a part of it; the rest is let go (stripe.P9). Captured by hand, it is on the balance at once. */
function capture(call: Call, intent: Intent, params: ReadParams<typeof captureParams>): Intent {
  if (params.final_capture === false) {
    throw unsupportedParameter('final_capture', 'a payment is captured once')
  }
  assertCapturable(intent)
  const amount = params.amount_to_capture ?? intent.amount_capturable
  if (amount > intent.amount_capturable) throw tooMuch(intent, amount)

  const { store } = call
  const labels = {
    statement_descriptor: params.statement_descriptor,
    statement_descriptor_suffix: params.statement_descriptor_suffix,
  }
  const charge = bookCharge(
    store,
    withGiven({ ...authorizedCharge(store, intent), amount_captured: amount, captured: true }, labels),
  )
  const rest = charge.amount - amount
  const captured = rest === 0 ? charge : releaseAuthorization(call, charge, rest, null)
  const paid = store.save(
    'payment_intent',
    withGiven(
      {
        ...intent,
        status: 'succeeded',
        amount_capturable: 0,
        amount_received: amount,
        metadata: mergeMetadata(intent.metadata, params.metadata),
      },
      labels,
    ),
  )
  recordEvent(call, 'charge.captured', captured)
  recordEvent(call, 'payment_intent.succeeded', paid)
  scheduleAftermath(store, captured)
  return paid
}

/** The payment is cancelled: nothing of what the bank holds is taken (stripe.E8). */
export function releaseHeld(call: Call, intent: Intent): void {
  if (intent.status !== 'requires_capture') return
  const charge = authorizedCharge(call.store, intent)
  const released = releaseAuthorization(call, charge, charge.amount, null)
  recordEvent(call, 'charge.refunded', released, { amount_refunded: 0, refunded: false })
}

/** The bank does not hold the money any longer (stripe.P13). Runs as a job. */
export function expireAuthorization(store: Store, intentId: string): void {
  const intent = store.find('payment_intent', intentId)?.object
  if (intent?.status !== 'requires_capture') return
  const call = automaticCall(store)
  const charge = authorizedCharge(store, intent)
  const released = releaseAuthorization(call, charge, charge.amount, 'expired_uncaptured_charge')
  const canceled = store.save('payment_intent', {
    ...intent,
    status: 'canceled',
    amount_capturable: 0,
    canceled_at: store.clock.now(),
    cancellation_reason: 'automatic',
  })
  recordEvent(call, 'charge.expired', released)
  recordEvent(call, 'payment_intent.canceled', canceled)
}

function authorizedCharge(store: Store, intent: Intent): Stripe.Charge {
  const found = store.find('charge', idOf(intent.latest_charge) ?? '')
  if (!found) throw new Error(`${intent.id} has no charge to capture`)
  return found.object
}

function tooMuch(intent: Intent, amountMinor: number): StripeError {
  const [wanted, held] = [amountMinor, intent.amount_capturable].map((value) =>
    formatAmount(value, intent.currency),
  )
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'amount_too_large',
    message: `The amount to capture (${wanted}) is greater than the amount that can be captured on this PaymentIntent (${held}).`,
    param: 'amount_to_capture',
    payment_intent: intent,
  })
}
