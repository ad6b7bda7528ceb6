import type Stripe from 'stripe'
import { findFault } from '../chaos/faults.ts'
import { previousAttributes } from '../core/changes.ts'
import { newId } from '../core/ids.ts'
import { scheduleJob } from '../core/jobs.ts'
import { type MetadataChange, mergeMetadata } from '../core/metadata.ts'
import { idOf, type RefundEnding } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { updateWarnings } from '../disputes/early-fraud-warnings.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { automaticCall } from '../http/call.ts'
import { book } from './ledger.ts'
import { aftermathOf, settled } from './settle-charge.ts'

export type RefundFailureReason = NonNullable<Stripe.Refund['failure_reason']>

type Wanted = {
  /** Minor units of the charge's currency; what is left of the charge is the caller's to check. */
  amountMinor: number
  reason?: Stripe.Refund.Reason | null
  metadata?: MetadataChange
  /** How the bank takes it; the card that paid decides unless it is said here. */
  ending?: RefundEnding
}

/** Give money of a captured charge back (stripe.E12). What the bank makes of it comes later, as a job. */
export function issueRefund(call: Call, given: Stripe.Charge, wanted: Wanted): Stripe.Refund {
  const { store } = call
  const charge = settled(store, given)
  const id = newId('refund')
  const faults = store.chaos.decide({ point: 'refund', subject: id }, call.wishes)
  const fails = findFault(faults, 'domain.refundFails') !== undefined
  const ending = wanted.ending ?? (fails ? 'fails' : endingOf(store, charge))
  const transaction = book(store, {
    type: 'refund',
    reportingCategory: 'refund',
    source: id,
    description: charge.description && `REFUND FOR CHARGE (${charge.description})`,
    amountMinor: -wanted.amountMinor,
    currency: charge.currency,
    fee: 'none',
    availableAtOnce: true,
  })
  const refund: Stripe.Refund = {
    ...newRefund(store, charge, wanted),
    id,
    balance_transaction: transaction.id,
    destination_details: cardDestination('refund', 'pending'),
    ...(ending === 'succeedsLate' ? { status: 'pending', pending_reason: 'processing' } : {}),
  }
  store.insert('refund', refund, { ending })
  scheduleJob(store, 'finish_refund', id, store.config.aftermathDelayMs)
  if (findFault(faults, 'domain.disputeAfterRefund')) {
    scheduleJob(store, 'dispute_refunded', charge.id, 2 * store.config.aftermathDelayMs)
  }
  recordEvent(call, 'refund.created', refund)
  tellRefunded(call, charge, withRefunded(charge, wanted.amountMinor))
  return refund
}

/** Let go of what was authorized and not captured. It is a refund to the API although no money ever moved (stripe.P9, stripe.P10). */
export function releaseAuthorization(
  call: Call,
  charge: Stripe.Charge,
  amountMinor: number,
  reason: Stripe.Refund.Reason | null,
): Stripe.Charge {
  const refund: Stripe.Refund = {
    ...newRefund(call.store, charge, { amountMinor, reason }),
    destination_details: cardDestination('reversal', 'pending'),
  }
  call.store.insert('refund', refund, { ending: 'succeeds' })
  recordEvent(call, 'refund.created', refund)
  return call.store.save('charge', withRefunded(charge, amountMinor))
}

/** What the bank made of a refund. Runs as a job; a refund that was decided by hand meanwhile stays as it is. */
export function finishRefund(store: Store, id: string): void {
  const found = store.find('refund', id)
  if (!found || found.object.status === 'failed') return
  const call = automaticCall(store)
  if (found.hidden.ending === 'fails') {
    failRefund(call, found.object, 'unknown')
    return
  }
  const { pending_reason: _, ...refund } = found.object
  const reference = String(store.clock.nowMs()).padStart(23, '7')
  const finished: Stripe.Refund = {
    ...refund,
    status: 'succeeded',
    destination_details: cardDestination('refund', 'available', reference),
  }
  store.save('refund', finished)
  tellUpdated(call, found.object, finished)
}

/** The bank did not take it: the money comes back to the balance, and the charge is as little refunded as before (stripe.C29). */
export function failRefund(call: Call, refund: Stripe.Refund, reason: RefundFailureReason): Stripe.Refund {
  const { store } = call
  const transaction = book(store, {
    type: 'refund_failure',
    reportingCategory: 'refund_failure',
    source: refund.id,
    description: `REFUND FAILURE (${reason})`,
    amountMinor: refund.amount,
    currency: refund.currency,
    fee: 'none',
    availableAtOnce: true,
  })
  const { pending_reason: _, ...rest } = refund
  const failed: Stripe.Refund = {
    ...rest,
    status: 'failed',
    failure_balance_transaction: transaction.id,
    failure_reason: reason,
  }
  store.save('refund', failed)
  const charge = store.find('charge', idOf(refund.charge) ?? '')
  if (charge) store.save('charge', withRefunded(charge.object, -refund.amount))
  recordEvent(call, 'refund.failed', failed)
  tellUpdated(call, refund, failed)
  return failed
}

/** A refund tells of its changes under two names. */
export function tellUpdated(call: Call, before: Stripe.Refund, after: Stripe.Refund): void {
  const changed = previousAttributes(before, after)
  if (!changed) return
  recordEvent(call, 'refund.updated', after, changed)
  recordEvent(call, 'charge.refund.updated', after, changed)
}

function tellRefunded(call: Call, before: Stripe.Charge, after: Stripe.Charge): void {
  const { amount_refunded, refunded } = before
  call.store.save('charge', after)
  recordEvent(call, 'charge.refunded', after, { amount_refunded, refunded })
  updateWarnings(call, after)
}

function withRefunded(charge: Stripe.Charge, moreMinor: number): Stripe.Charge {
  const amount_refunded = charge.amount_refunded + moreMinor
  return { ...charge, amount_refunded, refunded: amount_refunded === charge.amount }
}

function endingOf(store: Store, charge: Stripe.Charge): RefundEnding {
  const aftermath = aftermathOf(store, charge)
  if (aftermath === 'pendingRefund') return 'succeedsLate'
  return aftermath === 'failingRefund' ? 'fails' : 'succeeds'
}

function newRefund(store: Store, charge: Stripe.Charge, wanted: Wanted): Stripe.Refund {
  return {
    id: newId('refund'),
    object: 'refund',
    amount: wanted.amountMinor,
    balance_transaction: null,
    charge: charge.id,
    created: store.clock.now(),
    currency: charge.currency,
    customer: idOf(charge.customer),
    customer_account: null,
    metadata: mergeMetadata({}, wanted.metadata),
    payment_intent: idOf(charge.payment_intent),
    payment_method: charge.payment_method,
    reason: wanted.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  }
}

function cardDestination(
  type: 'refund' | 'reversal',
  reference_status: 'pending' | 'available',
  reference?: string,
): Stripe.Refund.DestinationDetails {
  const reference_type = 'acquirer_reference_number'
  return {
    type: 'card',
    card: { type, reference_status, reference_type, ...(reference ? { reference } : {}) },
  }
}
