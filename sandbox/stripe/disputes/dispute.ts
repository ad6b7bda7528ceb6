import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { scheduleJob } from '../core/jobs.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall, type Call } from '../http/call.ts'
import { book } from '../payments/ledger.ts'
import { settled } from '../payments/settle-charge.ts'
import { updateWarnings } from './early-fraud-warnings.ts'
import { emptyEvidence } from './evidence.ts'

type Dispute = Stripe.Dispute

export const DISPUTE_REASONS = [
  'credit_not_processed',
  'duplicate',
  'fraudulent',
  'general',
  'product_not_received',
  'product_unacceptable',
  'subscription_canceled',
  'unrecognized',
] as const

/** Invented numbers of the card networks, one for each reason that has a well-known one. */
const NETWORK_REASON_CODES: Record<string, string> = {
  credit_not_processed: '13.6',
  duplicate: '12.6.1',
  fraudulent: '10.4',
  product_not_received: '13.1',
  product_unacceptable: '13.3',
  subscription_canceled: '13.2',
}

const ANSWER_SECONDS = 9 * 24 * 60 * 60
const OPEN = ['needs_response', 'warning_needs_response']
const UNDER_REVIEW = ['under_review', 'warning_under_review']

export type Claim = {
  /** Minor units of the charge's currency. May be more than is left after refunds: banks do that. */
  amountMinor: number
  reason: (typeof DISPUTE_REASONS)[number]
  /** The bank only asks; no money moves unless it escalates (stripe.C25). */
  inquiry?: boolean
}

/** The customer goes to their bank (stripe.E13). */
export function raiseDispute(call: Call, given: Stripe.Charge, claim: Claim): Dispute {
  const { store } = call
  const charge = store.save('charge', { ...settled(store, given), disputed: true })
  const dispute = newDispute(store, charge, claim)
  store.insert('dispute', dispute, {})
  scheduleJob(store, 'pass_dispute_deadline', dispute.id, ANSWER_SECONDS * 1000)
  recordEvent(call, 'charge.dispute.created', dispute)
  updateWarnings(call, charge)
  return claim.inquiry ? dispute : withdrawFunds(call, dispute)
}

/** An inquiry becomes a dispute: now the money goes. */
export function escalate(call: Call, dispute: Dispute): Dispute {
  const { status } = dispute
  const due_by = call.store.clock.now() + ANSWER_SECONDS
  const escalated = call.store.save('dispute', {
    ...dispute,
    ...asChargeback(dispute),
    evidence_details: { ...dispute.evidence_details, due_by },
    is_charge_refundable: false,
    status: 'needs_response',
  })
  scheduleJob(call.store, 'pass_dispute_deadline', dispute.id, ANSWER_SECONDS * 1000)
  recordEvent(call, 'charge.dispute.updated', escalated, { status })
  return withdrawFunds(call, escalated)
}

/** The bank has decided. `lost` on an inquiry means it was not pursued: nothing had moved. */
export function closeDispute(call: Call, dispute: Dispute, verdict: 'won' | 'lost'): Dispute {
  const status = isInquiry(dispute) ? 'warning_closed' : verdict
  const closed = call.store.save('dispute', { ...dispute, is_charge_refundable: status !== 'lost', status })
  recordEvent(call, 'charge.dispute.closed', closed, { status: dispute.status })
  return status === 'won' ? reinstateFunds(call, closed) : closed
}

/** Nothing was sent in time: lost, or for an inquiry, dropped. Runs as a job. */
export function passDeadline(store: Store, id: string): void {
  const dispute = store.find('dispute', id)?.object
  const due = dispute?.evidence_details.due_by ?? null
  if (!dispute || due === null || due > store.clock.now() || !OPEN.includes(dispute.status)) return
  const late = { ...dispute, evidence_details: { ...dispute.evidence_details, past_due: true } }
  closeDispute(automaticCall(store), late, 'lost')
}

/** The bank reads what was sent (stripe.C27): two magic texts tell it what to think, any other leaves it thinking. Runs as a job. */
export function judgeDispute(store: Store, id: string): void {
  const dispute = store.find('dispute', id)?.object
  const verdict = dispute && verdictOf(dispute)
  if (verdict && isUnderReview(dispute)) closeDispute(automaticCall(store), dispute, verdict)
}

export function verdictOf({ evidence }: Dispute): 'won' | 'lost' | null {
  if (evidence.uncategorized_text === 'winning_evidence') return 'won'
  return evidence.uncategorized_text === 'losing_evidence' ? 'lost' : null
}

export function isOpen({ status }: Dispute): boolean {
  return OPEN.includes(status)
}

export function isUnderReview({ status }: Dispute): boolean {
  return UNDER_REVIEW.includes(status)
}

export function isInquiry({ status }: Dispute): boolean {
  return status.startsWith('warning_')
}

function withdrawFunds(call: Call, dispute: Dispute): Dispute {
  const withdrawn = bookFor(call.store, dispute, -dispute.amount)
  recordEvent(call, 'charge.dispute.funds_withdrawn', withdrawn)
  return withdrawn
}

function reinstateFunds(call: Call, dispute: Dispute): Dispute {
  const reinstated = bookFor(call.store, dispute, dispute.amount)
  recordEvent(call, 'charge.dispute.funds_reinstated', reinstated)
  return reinstated
}

/** The amount and the fee, out or back. */
function bookFor(store: Store, dispute: Dispute, amountMinor: number): Dispute {
  const out = amountMinor < 0
  const charge = idOf(dispute.charge)
  const transaction = book(store, {
    type: 'adjustment',
    reportingCategory: out ? 'dispute' : 'dispute_reversal',
    source: dispute.id,
    description: out ? `Chargeback withdrawal for ${charge}` : `Chargeback reversal for ${charge}`,
    amountMinor,
    currency: dispute.currency,
    fee: out ? 'dispute' : 'disputeReturned',
    availableAtOnce: true,
  })
  const balance_transactions = [...dispute.balance_transactions, transaction]
  return store.save('dispute', { ...dispute, balance_transactions })
}

function newDispute(store: Store, charge: Stripe.Charge, claim: Claim): Dispute {
  const now = store.clock.now()
  const brand = charge.payment_method_details?.card?.brand ?? 'visa'
  const dispute: Dispute = {
    id: newId('dispute'),
    object: 'dispute',
    amount: claim.amountMinor,
    balance_transactions: [],
    charge: charge.id,
    created: now,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: emptyEvidence(charge),
    evidence_details: {
      due_by: now + ANSWER_SECONDS,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: claim.inquiry === true && !charge.refunded,
    livemode: false,
    metadata: {},
    network_reason_code: NETWORK_REASON_CODES[claim.reason] ?? null,
    payment_intent: idOf(charge.payment_intent),
    payment_method_details: {
      type: 'card',
      card: {
        brand,
        case_type: 'inquiry',
        network: brand,
        network_reason_code: NETWORK_REASON_CODES[claim.reason] ?? null,
      },
    },
    reason: claim.reason,
    status: claim.inquiry ? 'warning_needs_response' : 'needs_response',
  }
  return claim.inquiry ? dispute : { ...dispute, ...asChargeback(dispute) }
}

function asChargeback({ payment_method_details: details }: Dispute): Partial<Dispute> {
  if (!details?.card) return {}
  return { payment_method_details: { ...details, card: { ...details.card, case_type: 'chargeback' } } }
}
