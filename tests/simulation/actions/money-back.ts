import { type RefundRequest, refundPayment } from '@/lib/payments/refund-payment'
import { countsAsRefunded, sum } from '../stripe/model'
import { type ModelDispute, type ModelIntent, payingCharge } from '../stripe/objects'
import { type Request, Violation, type World } from '../world'
import type { Action, Asking } from './action'

/** One member of staff, or several at once: a part, the rest, or more than there is. */
function staffRefund(world: World): Request[] {
  const { random } = world
  const payment = random.pick(world.books?.payments.filter(({ status }) => status === 'succeeded') ?? [])
  if (!payment) return []
  const received = payment.amount_received_minor
  const usedBefore = [...world.keys]
    .filter(([, { owner }]) => owner === world.people.staff)
    .map(([key]) => key)
  const calls = Array.from({ length: random.int(1, 3) }, (_, index) => {
    const known = random.chance(0.3) ? random.pick(usedBefore) : undefined
    const amount = random.weighted({ part: 4, rest: 2, all: 2, over: 1 })
    const amounts = {
      part: random.int(1, Math.ceil(received / 2)),
      rest: undefined,
      all: received,
      over: received + 1,
    }
    return { key: known ?? `refund-${world.keys.size + 1}.${index}`, amountMinor: amounts[amount] }
  })
  for (const { key, amountMinor } of calls)
    world.noteKey(key, world.people.staff, `${payment.id} ${amountMinor}`)
  return calls.map(({ key, amountMinor }) => ({
    what: `staff refund ${amountMinor ?? 'what is left'} of ${world.name('payment', payment.id)} (${received}) with ${key}`,
    run: () =>
      refundPayment({
        user: world.people.staff,
        key,
        paymentId: payment.id,
        input: { reason: 'requested_by_customer', ...(amountMinor !== undefined && { amountMinor }) },
      }),
    allowed: [
      'refund_too_large',
      'not_refundable',
      'refund_refused',
      ...(world.mayBeReused(key) ? (['idempotency_key_reused'] as const) : []),
    ],
    after: ({ value }) => {
      if (value) checkMade(world, key, value as RefundRequest, { amountMinor, received })
    },
  }))
}

function checkMade(
  world: World,
  key: string,
  made: RefundRequest,
  asked: { amountMinor: number | undefined; received: number },
): void {
  world.keyLedTo(key, made.id)
  if (made.amountMinor !== (asked.amountMinor ?? made.amountMinor))
    throw new Violation(`${key} gave back another amount than it was asked to`)
  if (made.amountMinor > asked.received) throw new Violation(`${key} gave back more than was paid`)
}

function dashboardRefund(world: World): boolean {
  const intent = world.random.pick(refundable(world))
  if (!intent) return false
  const amount = world.random.chance(0.4) ? left(world, intent) : world.random.int(1, left(world, intent))
  world.stripe.createRefund({ intentId: intent.id, amount, metadata: {}, madeBy: 'dashboard' })
  world.tell(`${intent.id} is refunded in the dashboard: ${amount}`)
  return true
}

function bankMovesRefund(world: World): boolean {
  const { random } = world
  const refund = random.pick(world.stripe.refunds.filter(countsAsRefunded))
  if (!refund) return false
  if (refund.status === 'succeeded' && !random.chance(0.4)) return false
  const status =
    refund.status === 'succeeded' ? 'failed' : random.weighted({ succeeded: 3, failed: 1, canceled: 1 })
  world.tell(`${refund.id} of ${refund.amount}: ${refund.status} → ${status}`)
  world.stripe.moveRefund(refund, status)
  return true
}

function bankDisputes(world: World): boolean {
  const intent = world.random.pick(refundable(world))
  if (!intent || world.stripe.disputesOf(intent).length > 1) return false
  const how = world.random.weighted({ inquiry: 1, chargeback: 2 })
  const amount = world.random.chance(0.7) ? left(world, intent) : world.random.int(1, left(world, intent))
  world.tell(`${intent.id} is disputed: ${how} of ${amount}`)
  world.stripe.openDispute(intent, amount, how)
  return true
}

function disputeMoves(world: World): boolean {
  const { random } = world
  const dispute = random.pick(world.stripe.disputes.filter((one) => NEXT[one.status] !== undefined))
  const status = dispute && random.pick(NEXT[dispute.status] ?? [])
  if (!dispute || !status) return false
  // An inquiry about money that has gone back in the meantime is over.
  if (status === 'needs_response' && left(world, world.stripe.intent(dispute.intentId)) < dispute.amount)
    return false
  world.tell(`${dispute.id}: ${dispute.status} → ${status}`)
  world.stripe.moveDispute(dispute, status)
  return true
}

const NEXT: Partial<Record<ModelDispute['status'], ModelDispute['status'][]>> = {
  warning_needs_response: ['needs_response', 'warning_closed'],
  needs_response: ['under_review', 'lost'],
  under_review: ['won', 'lost'],
}

function feeArrives(world: World): boolean {
  const charges = world.stripe.intents
    .filter(({ status }) => status === 'succeeded')
    .flatMap((intent) => payingCharge(intent) ?? [])
    .filter(({ settled }) => settled === null)
  const charge = world.random.pick(charges)
  if (!charge) return false
  world.tell(`the fee of ${charge.id} is known`)
  world.stripe.settleCharge(charge)
  return true
}

function refundable(world: World): ModelIntent[] {
  return world.stripe.intents.filter((intent) => intent.status === 'succeeded' && left(world, intent) > 0)
}

/** What the customer has neither got back nor taken back through the bank. */
function left(world: World, intent: ModelIntent): number {
  const disputed = world.stripe
    .disputesOf(intent)
    .filter(({ status }) => ['needs_response', 'under_review', 'lost'].includes(status))
  return disputed.length > 0
    ? 0
    : intent.amountReceived - sum(world.stripe.refundsOf(intent).filter(countsAsRefunded))
}

export const MONEY_BACK: readonly Action[] = [
  { weight: 2, act: dashboardRefund },
  { weight: 4, act: bankMovesRefund },
  { weight: 2, act: bankDisputes },
  { weight: 4, act: disputeMoves },
  { weight: 4, act: feeArrives },
]

export const MONEY_BACK_OUTSIDE = [dashboardRefund, bankMovesRefund, bankDisputes, disputeMoves, feeArrives]

export const MONEY_BACK_ASKED: readonly { weight: number; ask: Asking }[] = [{ weight: 7, ask: staffRefund }]
