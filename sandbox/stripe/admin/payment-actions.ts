import { Hono } from 'hono'
import type Stripe from 'stripe'
import { z } from 'zod'
import type { StripeContext } from '../context.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import {
  closeDispute,
  DISPUTE_REASONS,
  escalate,
  isInquiry,
  isOpen,
  isUnderReview,
  raiseDispute,
} from '../disputes/dispute.ts'
import { FRAUD_TYPES, warnOfFraud } from '../disputes/early-fraud-warnings.ts'
import { getDispute } from '../disputes/operations.ts'
import { automaticCall, type Call } from '../http/call.ts'
import { noSuch } from '../http/errors.ts'
import { failRefund, issueRefund } from '../payments/issue-refund.ts'
import { chargeToRefund, getRefund, refundableAmount } from '../payments/refunds.ts'
import { checked, readJson, refused } from './body.ts'

export const REFUND_REASONS = ['requested_by_customer', 'duplicate', 'fraudulent'] as const
export const REFUND_ENDINGS = ['succeeds', 'succeedsLate', 'fails'] as const
export const FAILURE_REASONS = [
  'declined',
  'expired_or_canceled_card',
  'insufficient_funds',
  'lost_or_stolen_card',
  'unknown',
] as const

const amount = z.int().positive().optional()

export type PaymentAction = {
  /** Below `/_local` for programs, below `/admin` for the forms of the page. */
  path: string
  /** What a person is told when it is done. */
  told: string
  /** One transaction. @throws StripeError when the body or the state of things does not allow it. */
  run(store: Store, id: string, body: unknown): Changed
}

type Changed = { id: string; object: string }

/**
 * What banks do, and what somebody does in the dashboard: nobody of the shop's program asks for it, so its events name no request.
 * Where a charge is meant, `:id` may also be its PaymentIntent's.
 */
export const PAYMENT_ACTIONS: readonly PaymentAction[] = [
  action({
    path: '/charges/:id/dispute',
    told: 'The dispute is raised.',
    body: z.strictObject({
      amount,
      reason: z.enum(DISPUTE_REASONS).default('fraudulent'),
      inquiry: z.boolean().default(false),
    }),
    run(call, id, { amount, reason, inquiry }) {
      const charge = capturedCharge(call.store, id)
      return raiseDispute(call, charge, { amountMinor: disputedAmount(charge, amount), reason, inquiry })
    },
  }),
  action({
    path: '/disputes/:id/escalate',
    told: 'The inquiry became a dispute.',
    body: z.strictObject({}),
    run(call, id) {
      const inquiry = getDispute(call.store, id)
      if (!isInquiry(inquiry) || inquiry.status === 'warning_closed') throw refused('It is no open inquiry')
      return escalate(call, inquiry)
    },
  }),
  action({
    path: '/disputes/:id/close',
    told: 'The dispute is closed.',
    body: z.strictObject({ status: z.enum(['won', 'lost']) }),
    run(call, id, { status }) {
      const open = getDispute(call.store, id)
      if (!isOpen(open) && !isUnderReview(open)) throw refused(`It is closed already: ${open.status}`)
      return closeDispute(call, open, status)
    },
  }),
  action({
    path: '/charges/:id/refund',
    told: 'The refund is made.',
    body: z.strictObject({
      amount,
      reason: z.enum(REFUND_REASONS).nullable().default(null),
      ending: z.enum(REFUND_ENDINGS).optional(),
    }),
    run(call, id, { amount, reason, ending }) {
      const charge = chargeToRefund(call.store, {
        charge: idOfCharge(call.store, id),
        payment_intent: undefined,
      })
      const amountMinor = refundableAmount(charge, amount)
      return issueRefund(call, charge, { amountMinor, reason, ...(ending ? { ending } : {}) })
    },
  }),
  action({
    path: '/refunds/:id/fail',
    told: 'The refund failed.',
    body: z.strictObject({ reason: z.enum(FAILURE_REASONS).default('unknown') }),
    run(call, id, { reason }) {
      const refund = getRefund(call.store, id)
      if (refund.status === 'failed') throw refused('It has failed already')
      if (refund.balance_transaction === null)
        throw refused('No money was refunded: an authorization was released')
      return failRefund(call, refund, reason)
    },
  }),
  action({
    path: '/charges/:id/early_fraud_warning',
    told: 'The early fraud warning is out.',
    body: z.strictObject({ fraudType: z.enum(FRAUD_TYPES).default('made_with_stolen_card') }),
    run: (call, id, { fraudType }) => warnOfFraud(call, capturedCharge(call.store, id), fraudType),
  }),
]

/** The actions as JSON addresses. */
export function paymentRoutes({ store }: StripeContext): Hono {
  const app = new Hono()
  for (const { path, run } of PAYMENT_ACTIONS) {
    app.post(path, async (c) => c.json(run(store, c.req.param('id') ?? '', await readJson(c))))
  }
  return app
}

/** The charge of this id or of this PaymentIntent; null when there is none. */
export function findCharge(store: Store, id: string): Stripe.Charge | null {
  return store.find('charge', idOfCharge(store, id))?.object ?? null
}

type Definition<T extends z.ZodType> = Omit<PaymentAction, 'run'> & {
  body: T
  run(call: Call, id: string, body: z.infer<T>): Changed
}

function action<T extends z.ZodType>({ path, told, body, run }: Definition<T>): PaymentAction {
  return {
    path,
    told,
    run(store, id, given) {
      const wanted = checked(body, given)
      return store.transaction(() => run(automaticCall(store), id, wanted))
    },
  }
}

function idOfCharge(store: Store, id: string): string {
  const intent = store.find('payment_intent', id)
  return intent ? (idOf(intent.object.latest_charge) ?? id) : id
}

function capturedCharge(store: Store, id: string): Stripe.Charge {
  const charge = findCharge(store, id)
  if (!charge) throw noSuch('charge', id, 'charge', 404)
  if (!charge.captured) throw refused(`${id} was not paid`)
  return charge
}

/** A bank may take back all that was paid, whatever went back before. */
function disputedAmount(charge: Stripe.Charge, wantedMinor: number | undefined): number {
  const amountMinor = wantedMinor ?? charge.amount_captured
  if (amountMinor > charge.amount_captured) throw refused('More than was paid cannot be disputed')
  return amountMinor
}
