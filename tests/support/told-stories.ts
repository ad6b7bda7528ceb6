import type { EventFacts } from '@/lib/payments/facts'
import { eventFacts, sha256 } from '@/lib/payments/facts'
import type { Stripe } from '@/lib/stripe/server'
import type { OpenedPayment } from './payment-rows'
import { chargeOf, eventOf, intentOf } from './stripe-events'

type Fields = Record<string, unknown>

/**
 * Something that happens at Stripe, step by step, and the event that tells of each step. What Stripe holds only goes forward:
 * an event is delivered after its step, however late.
 */
export type Story = {
  name: string
  /** The objects as they are after each step, by id. */
  states: Map<string, Fields>[]
  /** Of which step each event tells. */
  events: { step: number; event: Stripe.Event }[]
}

const settled = (id: string, amount: number, fee: number) => ({
  id,
  object: 'balance_transaction',
  amount,
  fee,
  net: amount - fee,
  currency: 'eur',
})

function story(name: string, told: { id: string; held: Fields; types: string[]; in?: Fields }[]): Story {
  const states: Story['states'] = []
  const events: Story['events'] = []
  for (const { id, held, types, in: inEvent } of told) {
    states.push(new Map([...(states.at(-1) ?? []), [id, held]]))
    for (const type of types)
      events.push({
        step: states.length - 1,
        event: eventOf(type, inEvent ?? held) as unknown as Stripe.Event,
      })
  }
  return { name, states, events }
}

/** Confirmed, challenged, paid, and then its fee is known: five events. */
export function paying(payment: OpenedPayment): Story {
  const id = payment.intentId
  const charge = chargeOf(payment, 'succeeded', { balance_transaction: null })
  const settledCharge = { ...charge, balance_transaction: settled(`txn_${payment.chargeId}`, 2400, 61) }
  const succeeded = intentOf(payment, 'succeeded')
  const at = (status: string) => ({
    id,
    held: intentOf(payment, status),
    types: [`payment_intent.${status === 'requires_payment_method' ? 'created' : status}`],
  })
  return story('pay', [
    at('requires_payment_method'),
    at('requires_action'),
    { id, held: { ...succeeded, latest_charge: charge }, types: ['charge.succeeded'], in: charge },
    {
      id,
      held: { ...succeeded, latest_charge: charge },
      types: ['payment_intent.succeeded'],
      in: succeeded,
    },
    {
      id,
      held: { ...succeeded, latest_charge: settledCharge },
      types: ['charge.updated'],
      in: { ...charge, balance_transaction: `txn_${payment.chargeId}` },
    },
  ])
}

/** Made in the dashboard; pending, done, and in one of the two stories back from the bank after all: five events each. */
export function refunding(payment: OpenedPayment, ending: 'succeeds' | 'fails'): Story {
  const id = `re_${payment.chargeId}`
  const out = settled(`txn_out_${id}`, -900, 0)
  const refund = {
    id,
    object: 'refund',
    amount: 900,
    currency: 'eur',
    payment_intent: payment.intentId,
    charge: payment.chargeId,
    metadata: {},
    status: 'pending',
    balance_transaction: out,
    failure_balance_transaction: null,
  }
  const charge = chargeOf(payment, 'succeeded', { amount_refunded: 900 })
  const succeeded = { ...refund, status: 'succeeded' }
  const failed = {
    ...refund,
    status: 'failed',
    failure_balance_transaction: settled(`txn_back_${id}`, 900, 0),
  }
  const began = [
    { id, held: refund, types: ['refund.created'] },
    { id, held: refund, types: ['charge.refunded'], in: charge },
    { id, held: succeeded, types: ['refund.updated'] },
  ]
  return ending === 'succeeds'
    ? story('refund', [
        ...began,
        { id, held: succeeded, types: ['charge.refund.updated'] },
        { id, held: succeeded, types: ['refund.updated'] },
      ])
    : story('refund that fails', [
        ...began,
        { id, held: failed, types: ['refund.failed'] },
        { id, held: failed, types: ['charge.refund.updated'] },
      ])
}

/** Opened, the money withdrawn, answered, won, and the money put back: five events. */
export function disputing(payment: OpenedPayment): Story {
  const id = `du_${payment.chargeId}`
  const dispute = (status: string, balance_transactions: object[]) => ({
    id,
    held: {
      id,
      object: 'dispute',
      amount: 2400,
      currency: 'eur',
      payment_intent: payment.intentId,
      charge: payment.chargeId,
      reason: 'fraudulent',
      status,
      evidence_details: { due_by: 1_900_000_000 },
      balance_transactions,
    },
  })
  const taken = settled(`txn_taken_${id}`, -2400, 1500)
  const back = settled(`txn_back_${id}`, 2400, 0)
  return story('dispute', [
    { ...dispute('needs_response', []), types: ['charge.dispute.created'] },
    { ...dispute('needs_response', [taken]), types: ['charge.dispute.funds_withdrawn'] },
    { ...dispute('under_review', [taken]), types: ['charge.dispute.updated'] },
    { ...dispute('won', [taken]), types: ['charge.dispute.closed'] },
    { ...dispute('won', [taken, back]), types: ['charge.dispute.funds_reinstated'] },
  ])
}

/** As the webhook hands it on. */
export async function asTold(event: Stripe.Event): Promise<{ event: EventFacts; payloadHash: string }> {
  return { event: await eventFacts(event), payloadHash: await sha256(event.id) }
}
