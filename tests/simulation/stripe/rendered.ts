import type { ModelCharge, ModelDispute, ModelIntent, ModelRefund, Settled } from './objects'

// How Stripe puts its objects into an answer or an event, as far as our code looks. `expanded` is what lib/ asks to be
// expanded; events carry ids instead.

export type Rendered = { object: string; id: string }

export function renderedIntent(intent: ModelIntent, { expanded }: { expanded: boolean }): Rendered {
  const charge = intent.charges.at(-1)
  return {
    object: 'payment_intent',
    id: intent.id,
    created: Math.floor(intent.createdMs / 1000),
    livemode: false,
    status: intent.status,
    amount: intent.amount,
    amount_received: intent.amountReceived,
    currency: intent.currency,
    customer: intent.customer,
    client_secret: `${intent.id}_secret`,
    metadata: { ...intent.metadata },
    last_payment_error: intent.lastError && { ...intent.lastError },
    latest_charge: charge ? (expanded ? renderedCharge(charge, { expanded }) : charge.id) : null,
  } as Rendered
}

export function renderedCharge(charge: ModelCharge, { expanded }: { expanded: boolean }): Rendered {
  const hasFailed = charge.status === 'failed'
  return {
    object: 'charge',
    id: charge.id,
    payment_intent: charge.intentId,
    status: charge.status,
    captured: charge.isCaptured,
    amount: charge.amount,
    amount_captured: charge.amountCaptured,
    currency: charge.currency,
    failure_code: hasFailed ? 'card_declined' : null,
    outcome: { reason: charge.declineCode },
    payment_method_details: {
      type: 'card',
      card: {
        brand: 'visa',
        last4: charge.last4,
        exp_month: 12,
        exp_year: 2034,
        country: charge.last4 === '0005' ? 'DE' : 'US',
        fingerprint: `print${charge.last4}`,
      },
    },
    balance_transaction: renderedSettled(charge.settled, expanded),
  } as Rendered
}

export function renderedRefund(refund: ModelRefund, { expanded }: { expanded: boolean }): Rendered {
  return {
    object: 'refund',
    id: refund.id,
    payment_intent: refund.intentId,
    status: refund.status,
    amount: refund.amount,
    currency: refund.currency,
    metadata: { ...refund.metadata },
    balance_transaction: renderedSettled(refund.settled, expanded),
    failure_balance_transaction: renderedSettled(refund.failureSettled, expanded) ?? undefined,
  } as Rendered
}

/** A dispute always carries its balance transactions whole. */
export function renderedDispute(dispute: ModelDispute): Rendered {
  return {
    object: 'dispute',
    id: dispute.id,
    payment_intent: dispute.intentId,
    status: dispute.status,
    amount: dispute.amount,
    currency: dispute.currency,
    reason: dispute.reason,
    evidence_details: { due_by: 1_900_000_000 },
    balance_transactions: dispute.settled.map((settled) => renderedSettled(settled, true)),
  } as Rendered
}

function renderedSettled(settled: Settled | null, expanded: boolean): unknown {
  if (!settled) return null
  return expanded ? { object: 'balance_transaction', ...settled } : settled.id
}
