import { createHash } from 'node:crypto'
import type { Stripe } from '../stripe/server'

/**
 * The few fields of Stripe's objects that we keep and act on, by name. Everything else (names, addresses, mails, client
 * secrets, whole cards) is dropped here, before anything reaches the database or a log.
 */
export type IntentFacts = {
  object: 'payment_intent'
  id: string
  status: string
  amount: number
  amount_received: number
  currency: string
  customer: string | null
  metadata: { payment_id?: string; order_id?: string }
  latest_charge: string | ChargeFacts | null
  last_payment_error: { code?: string; decline_code?: string } | null
}

export type ChargeFacts = {
  object: 'charge'
  id: string
  payment_intent: string | null
  status: string
  captured: boolean
  amount_captured: number
  currency: string
  failure_code: string | null
  decline_code: string | null
  card: CardFacts | null
  /** Null until Stripe has settled the charge, and in events, which carry only its id. */
  balance_transaction: SettledFacts | null
}

export type RefundFacts = {
  object: 'refund'
  id: string
  payment_intent: string | null
  status: string | null
  amount: number
  currency: string
  metadata: { refund_request_id?: string }
  /** Money that was only reserved is let go: Stripe shows that as a refund as well. */
  is_release: boolean
  balance_transaction: SettledFacts | null
  failure_balance_transaction: SettledFacts | null
}

export type DisputeFacts = {
  object: 'dispute'
  id: string
  payment_intent: string | null
  status: string
  amount: number
  currency: string
  reason: string
  /** Seconds since 1970. */
  due_by: number | null
  balance_transactions: SettledFacts[]
}

type WarningFacts = {
  object: 'radar.early_fraud_warning'
  id: string
  payment_intent: string | null
  fraud_type: string
  actionable: boolean
}

/** A card that could not be saved. */
type FailedSetupFacts = {
  object: 'setup_intent'
  id: string
  customer: string | null
  latest_attempt: string | null
  last_setup_error: { code?: string; decline_code?: string; fingerprint_hash: string | null } | null
}

/** What a movement came to on Stripe's balance, in the currency it settles in. */
type SettledFacts = { id: string; amount: number; fee: number; currency: string }

type CardFacts = {
  brand: string | null
  last4: string | null
  exp_month: number | null
  exp_year: number | null
  country: string | null
  fingerprint_hash: string | null
}

export type EventFacts = {
  id: string
  type: string
  created: number
  livemode: boolean
  api_version: string | null
  account: string | null
  object:
    | IntentFacts
    | ChargeFacts
    | RefundFacts
    | DisputeFacts
    | WarningFacts
    | FailedSetupFacts
    | { object: string; id: string | null }
}

export async function eventFacts(event: Stripe.Event): Promise<EventFacts> {
  const object = event.data.object as { object: string; id?: string }
  return {
    id: event.id,
    type: event.type,
    created: event.created,
    livemode: event.livemode,
    api_version: event.api_version,
    account: event.account ?? null,
    object:
      event.type === 'setup_intent.setup_failed'
        ? await failedSetupFacts(event.data.object)
        : await objectFacts(object),
  }
}

async function objectFacts(object: { object: string; id?: string }): Promise<EventFacts['object']> {
  switch (object.object) {
    case 'payment_intent':
      return await intentFacts(object as Stripe.PaymentIntent)
    case 'charge':
      return await chargeFacts(object as Stripe.Charge)
    case 'refund':
      return refundFacts(object as Stripe.Refund)
    case 'dispute':
      return disputeFacts(object as Stripe.Dispute)
    case 'radar.early_fraud_warning':
      return warningFacts(object as Stripe.Radar.EarlyFraudWarning)
    default:
      return { object: object.object, id: object.id ?? null }
  }
}

export function refundFacts(refund: Stripe.Refund): RefundFacts {
  return {
    object: 'refund',
    id: refund.id,
    payment_intent: idOf(refund.payment_intent),
    status: refund.status,
    amount: refund.amount,
    currency: refund.currency,
    metadata: { refund_request_id: refund.metadata?.refund_request_id },
    is_release: refund.destination_details?.card?.type === 'reversal' && refund.balance_transaction === null,
    balance_transaction: settledFacts(refund.balance_transaction),
    failure_balance_transaction: settledFacts(refund.failure_balance_transaction),
  }
}

export function disputeFacts(dispute: Stripe.Dispute): DisputeFacts {
  return {
    object: 'dispute',
    id: dispute.id,
    payment_intent: idOf(dispute.payment_intent),
    status: dispute.status,
    amount: dispute.amount,
    currency: dispute.currency,
    reason: dispute.reason,
    due_by: dispute.evidence_details.due_by,
    balance_transactions: dispute.balance_transactions.flatMap((settled) => settledFacts(settled) ?? []),
  }
}

function warningFacts(warning: Stripe.Radar.EarlyFraudWarning): WarningFacts {
  return {
    object: 'radar.early_fraud_warning',
    id: warning.id,
    payment_intent: idOf(warning.payment_intent ?? null),
    fraud_type: warning.fraud_type,
    actionable: warning.actionable,
  }
}

async function failedSetupFacts(setup: Stripe.SetupIntent): Promise<FailedSetupFacts> {
  const failure = setup.last_setup_error
  const fingerprint = failure?.payment_method?.card?.fingerprint
  return {
    object: 'setup_intent',
    id: setup.id,
    customer: idOf(setup.customer),
    latest_attempt: idOf(setup.latest_attempt),
    last_setup_error: failure
      ? {
          code: failure.code,
          decline_code: failure.decline_code,
          fingerprint_hash: fingerprint ? await sha256(fingerprint) : null,
        }
      : null,
  }
}

function settledFacts(settled: string | Stripe.BalanceTransaction | null | undefined): SettledFacts | null {
  if (!settled || typeof settled === 'string') return null
  return { id: settled.id, amount: settled.amount, fee: settled.fee, currency: settled.currency }
}

export async function intentFacts(intent: Stripe.PaymentIntent): Promise<IntentFacts> {
  const { payment_id, order_id } = intent.metadata
  const failure = intent.last_payment_error
  return {
    object: 'payment_intent',
    id: intent.id,
    status: intent.status,
    amount: intent.amount,
    amount_received: intent.amount_received,
    currency: intent.currency,
    customer: idOf(intent.customer),
    metadata: { payment_id, order_id },
    latest_charge:
      intent.latest_charge && typeof intent.latest_charge === 'object'
        ? await chargeFacts(intent.latest_charge)
        : intent.latest_charge,
    last_payment_error: failure ? { code: failure.code, decline_code: failure.decline_code } : null,
  }
}

async function chargeFacts(charge: Stripe.Charge): Promise<ChargeFacts> {
  const card = charge.payment_method_details?.card
  return {
    object: 'charge',
    id: charge.id,
    payment_intent: idOf(charge.payment_intent),
    status: charge.status,
    captured: charge.captured,
    amount_captured: charge.amount_captured,
    currency: charge.currency,
    failure_code: charge.failure_code,
    decline_code: charge.outcome?.reason ?? null,
    card: card
      ? {
          brand: card.brand,
          last4: card.last4,
          exp_month: card.exp_month,
          exp_year: card.exp_year,
          country: card.country,
          fingerprint_hash: card.fingerprint ? await sha256(card.fingerprint) : null,
        }
      : null,
    balance_transaction: settledFacts(charge.balance_transaction),
  }
}

/** SHA-256 in hex. What is hashed here is small: done at once it costs less than handing it to a thread. */
export async function sha256(data: string | Uint8Array): Promise<string> {
  return createHash('sha256').update(data).digest('hex')
}

function idOf(value: string | { id: string } | null): string | null {
  return typeof value === 'string' ? value : (value?.id ?? null)
}
