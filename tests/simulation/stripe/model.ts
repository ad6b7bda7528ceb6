import type { Random } from '../random'
import { Billing } from './billing'
import type { EventLog } from './event-log'
import {
  isBlocking,
  type ModelCharge,
  type ModelDispute,
  type ModelIntent,
  type ModelRefund,
  moveTo,
  payingCharge,
  type RefundStatus,
  type Settled,
} from './objects'
import { found, Refusal } from './refusal'
import { renderedCharge, renderedDispute, renderedIntent, renderedRefund } from './rendered'

/** The account settles in euros; what a minor unit of each currency comes to. */
const CENTS_OF_EURO: Record<string, number> = { eur: 1, usd: 0.9, jpy: 0.6, kwd: 0.3, isk: 0.007 }
const SETTLED_IN = 'eur'

const AS_EVENT = { expanded: false }

/** What there is at Stripe, and everything that can happen to it there. Each change tells its events. */
export class StripeModel {
  readonly customers: { id: string; metadata: Record<string, string> }[] = []
  readonly intents: ModelIntent[] = []
  readonly refunds: ModelRefund[] = []
  readonly disputes: ModelDispute[] = []
  readonly billing: Billing
  readonly log: EventLog
  readonly #prefix: string
  readonly #random: Random
  #made = 0

  constructor(prefix: string, log: EventLog, random: Random) {
    this.#prefix = prefix
    this.log = log
    this.#random = random
    this.billing = new Billing(this)
  }

  intent(id: string): ModelIntent {
    return found(this.intents, id)
  }

  refundsOf(intent: ModelIntent): ModelRefund[] {
    return this.refunds.filter((refund) => refund.intentId === intent.id)
  }

  disputesOf(intent: ModelIntent): ModelDispute[] {
    return this.disputes.filter((dispute) => dispute.intentId === intent.id)
  }

  /** Time goes by: everything here is that much older. */
  age(ms: number): void {
    for (const intent of this.intents) intent.createdMs -= ms
    this.log.age(ms)
    this.billing.age(ms)
  }

  createCustomer(metadata: Record<string, string>): { id: string; metadata: Record<string, string> } {
    const customer = { id: this.newId('cus'), metadata }
    this.customers.push(customer)
    this.log.emit('customer.created', { object: 'customer', ...customer })
    return customer
  }

  createIntent(
    asked: Pick<ModelIntent, 'amount' | 'currency' | 'customer' | 'metadata' | 'madeBy'> &
      Partial<Pick<ModelIntent, 'captureMethod'>>,
  ): ModelIntent {
    const intent: ModelIntent = {
      captureMethod: 'automatic',
      ...asked,
      id: this.newId('pi'),
      createdMs: Date.now(),
      status: 'requires_payment_method',
      history: ['requires_payment_method'],
      amountReceived: 0,
      lastError: null,
      charges: [],
    }
    this.intents.push(intent)
    this.#tellIntent('created', intent)
    return intent
  }

  confirm(intent: ModelIntent, how: 'pays' | 'declined' | 'challenged' | 'processing'): void {
    if (how === 'pays') this.#pay(intent)
    else if (how === 'declined') this.#decline(intent)
    else {
      moveTo(intent, how === 'processing' ? 'processing' : 'requires_action')
      intent.lastError = null
      this.#tellIntent(intent.status, intent)
      if (how === 'challenged') this.billing.hear(intent, 'challenged')
    }
  }

  finishChallenge(intent: ModelIntent, how: 'passed' | 'failed' | 'passed, then declined'): void {
    if (how === 'passed') this.#pay(intent)
    else if (how === 'passed, then declined') this.#decline(intent)
    else {
      moveTo(intent, 'requires_payment_method')
      intent.lastError = { code: 'payment_intent_authentication_failure' }
      this.#tellIntent('payment_failed', intent)
      this.billing.hear(intent, 'failed')
    }
  }

  finishProcessing(intent: ModelIntent, how: 'arrived' | 'failed'): void {
    if (how === 'arrived') this.#pay(intent)
    else this.#decline(intent)
  }

  capture(intent: ModelIntent, amount: number): void {
    const charge = payingCharge(intent)
    if (!charge) throw new Error('only an authorised payment is captured')
    charge.isCaptured = true
    charge.amountCaptured = amount
    this.log.emit('charge.captured', renderedCharge(charge, AS_EVENT))
    this.#succeed(intent, amount)
  }

  cancel(intent: ModelIntent): void {
    moveTo(intent, 'canceled')
    this.#tellIntent('canceled', intent)
  }

  /** The fee of a charge is known some seconds after the money. */
  settleCharge(charge: ModelCharge): void {
    charge.settled = this.#settled(charge.amountCaptured, charge.currency, 'charge')
    this.log.emit('charge.updated', renderedCharge(charge, AS_EVENT))
  }

  /** @throws Refusal as Stripe would refuse */
  createRefund(asked: Pick<ModelRefund, 'intentId' | 'amount' | 'metadata' | 'madeBy'>): ModelRefund {
    const intent = this.intent(asked.intentId)
    const left = intent.amountReceived - sum(this.refundsOf(intent).filter(countsAsRefunded))
    if (intent.status !== 'succeeded') throw new Refusal('charge_not_captured')
    if (this.disputesOf(intent).some(isBlocking)) throw new Refusal('charge_disputed')
    if (left === 0) throw new Refusal('charge_already_refunded')
    if (asked.amount > left) throw new Refusal('amount_too_large')
    const status = this.#random.chance(0.3) ? 'pending' : 'succeeded'
    const refund: ModelRefund = {
      ...asked,
      id: this.newId('re'),
      status,
      history: [status],
      currency: intent.currency,
      settled: this.#settled(-asked.amount, intent.currency, 'refund'),
      failureSettled: null,
    }
    this.refunds.push(refund)
    this.log.emit('refund.created', renderedRefund(refund, AS_EVENT))
    for (const charge of intent.charges.slice(-1))
      this.log.emit('charge.refunded', renderedCharge(charge, AS_EVENT))
    return refund
  }

  moveRefund(refund: ModelRefund, status: RefundStatus): void {
    moveTo(refund, status)
    if (status === 'failed' || status === 'canceled')
      refund.failureSettled = this.#settled(refund.amount, refund.currency, 'refund')
    this.log.emit('refund.updated', renderedRefund(refund, AS_EVENT))
    this.log.emit('charge.refund.updated', renderedRefund(refund, AS_EVENT))
    if (status === 'failed') this.log.emit('refund.failed', renderedRefund(refund, AS_EVENT))
  }

  openDispute(intent: ModelIntent, amount: number, how: 'inquiry' | 'chargeback'): void {
    const status = how === 'inquiry' ? 'warning_needs_response' : 'needs_response'
    const dispute: ModelDispute = {
      id: this.newId('dp'),
      intentId: intent.id,
      status,
      history: [status],
      amount,
      currency: intent.currency,
      reason: 'fraudulent',
      settled: [],
    }
    this.disputes.push(dispute)
    this.log.emit('charge.dispute.created', renderedDispute(dispute))
    if (how === 'chargeback') this.#withdraw(dispute)
  }

  moveDispute(dispute: ModelDispute, status: ModelDispute['status']): void {
    const wasInquiry = dispute.status === 'warning_needs_response'
    moveTo(dispute, status)
    const isOver = status === 'won' || status === 'lost' || status === 'warning_closed'
    this.log.emit(`charge.dispute.${isOver ? 'closed' : 'updated'}`, renderedDispute(dispute))
    if (wasInquiry && status === 'needs_response') this.#withdraw(dispute)
    if (status !== 'won') return
    dispute.settled.push(this.#settled(dispute.amount, dispute.currency, 'dispute won'))
    this.log.emit('charge.dispute.funds_reinstated', renderedDispute(dispute))
  }

  #withdraw(dispute: ModelDispute): void {
    dispute.settled.push(this.#settled(-dispute.amount, dispute.currency, 'dispute'))
    this.log.emit('charge.dispute.funds_withdrawn', renderedDispute(dispute))
  }

  #pay(intent: ModelIntent): void {
    const isCaptured = intent.captureMethod === 'automatic'
    const charge = this.#charge(intent, 'succeeded', isCaptured)
    if (isCaptured && this.#random.chance(0.1)) {
      charge.isSettledAtOnce = true
      charge.settled = this.#settled(intent.amount, intent.currency, 'charge')
    }
    this.log.emit('charge.succeeded', renderedCharge(charge, AS_EVENT))
    if (isCaptured) this.#succeed(intent, intent.amount)
    else {
      moveTo(intent, 'requires_capture')
      intent.lastError = null
      this.#tellIntent('amount_capturable_updated', intent)
    }
  }

  #succeed(intent: ModelIntent, amount: number): void {
    moveTo(intent, 'succeeded')
    intent.lastError = null
    intent.amountReceived = amount
    this.#tellIntent('succeeded', intent)
    this.billing.hear(intent, 'paid')
  }

  #decline(intent: ModelIntent): void {
    const charge = this.#charge(intent, 'failed', false)
    moveTo(intent, 'requires_payment_method')
    intent.lastError = { code: 'card_declined', decline_code: charge.declineCode ?? 'generic_decline' }
    this.log.emit('charge.failed', renderedCharge(charge, AS_EVENT))
    this.#tellIntent('payment_failed', intent)
    this.billing.hear(intent, 'failed')
  }

  #charge(intent: ModelIntent, status: ModelCharge['status'], isCaptured: boolean): ModelCharge {
    const charge: ModelCharge = {
      id: this.newId('ch'),
      intentId: intent.id,
      status,
      isCaptured,
      amount: intent.amount,
      amountCaptured: isCaptured ? intent.amount : 0,
      currency: intent.currency,
      declineCode: status === 'failed' ? this.#random.pick(['insufficient_funds', 'generic_decline']) : null,
      last4: this.#random.pick(['4242', '1881', '0005']),
      settled: null,
      isSettledAtOnce: false,
    }
    intent.charges.push(charge)
    return charge
  }

  #settled(amount: number, currency: string, kind: 'charge' | 'refund' | 'dispute' | 'dispute won'): Settled {
    const rate = CENTS_OF_EURO[currency] ?? 1
    const gross = Math.sign(amount) * Math.max(1, Math.round(Math.abs(amount) * rate))
    const fees = { charge: 25 + Math.round(gross / 100), refund: 0, dispute: 2000, 'dispute won': -2000 }
    return { id: this.newId('txn'), amount: gross, fee: fees[kind], currency: SETTLED_IN }
  }

  #tellIntent(what: string, intent: ModelIntent): void {
    this.log.emit(`payment_intent.${what}`, renderedIntent(intent, AS_EVENT))
  }

  newId(kind: string): string {
    this.#made++
    return `${kind}_${this.#prefix}_${String(this.#made).padStart(3, '0')}`
  }
}

export function countsAsRefunded(refund: { status: string }): boolean {
  return refund.status !== 'failed' && refund.status !== 'canceled'
}

export function sum(items: readonly { amount: number }[]): number {
  return items.reduce((total, { amount }) => total + amount, 0)
}
