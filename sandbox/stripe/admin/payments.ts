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
import { readBody, refused } from './body.ts'

const amount = z.int().positive()

const disputeBody = z.strictObject({
  amount: amount.optional(),
  reason: z.enum(DISPUTE_REASONS).default('fraudulent'),
  inquiry: z.boolean().default(false),
})
const closeBody = z.strictObject({ status: z.enum(['won', 'lost']) })
const refundBody = z.strictObject({
  amount: amount.optional(),
  reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']).nullable().default(null),
  ending: z.enum(['succeeds', 'succeedsLate', 'fails']).optional(),
})
const failBody = z.strictObject({
  reason: z
    .enum(['declined', 'expired_or_canceled_card', 'insufficient_funds', 'lost_or_stolen_card', 'unknown'])
    .default('unknown'),
})
const warningBody = z.strictObject({ fraudType: z.enum(FRAUD_TYPES).default('made_with_stolen_card') })
const nothing = z.strictObject({})

/**
 * What banks do, and what somebody does in the dashboard: nobody of the shop's program asks for it, so its events name no request.
 * `:charge` may be the id of a charge or of its PaymentIntent.
 */
export function paymentRoutes({ store }: StripeContext): Hono {
  const app = new Hono()
  const act = <T>(work: (call: Call) => T): T => store.transaction(() => work(automaticCall(store)))

  app.post('/charges/:charge/dispute', async (c) => {
    const { amount, reason, inquiry } = await readBody(c, disputeBody)
    const dispute = act((call) => {
      const charge = capturedCharge(store, c.req.param('charge'))
      return raiseDispute(call, charge, { amountMinor: disputedAmount(charge, amount), reason, inquiry })
    })
    return c.json(dispute)
  })

  app.post('/disputes/:id/escalate', async (c) => {
    await readBody(c, nothing)
    const dispute = act((call) => {
      const inquiry = getDispute(store, c.req.param('id'))
      if (!isInquiry(inquiry) || inquiry.status === 'warning_closed') throw refused('It is no open inquiry')
      return escalate(call, inquiry)
    })
    return c.json(dispute)
  })

  app.post('/disputes/:id/close', async (c) => {
    const { status } = await readBody(c, closeBody)
    const dispute = act((call) => {
      const open = getDispute(store, c.req.param('id'))
      if (!isOpen(open) && !isUnderReview(open)) throw refused(`It is closed already: ${open.status}`)
      return closeDispute(call, open, status)
    })
    return c.json(dispute)
  })

  app.post('/charges/:charge/refund', async (c) => {
    const { amount, reason, ending } = await readBody(c, refundBody)
    const refund = act((call) => {
      const charge = chargeToRefund(store, {
        charge: idOfCharge(store, c.req.param('charge')),
        payment_intent: undefined,
      })
      const amountMinor = refundableAmount(charge, amount)
      return issueRefund(call, charge, { amountMinor, reason, ...(ending ? { ending } : {}) })
    })
    return c.json(refund)
  })

  app.post('/refunds/:id/fail', async (c) => {
    const { reason } = await readBody(c, failBody)
    const failed = act((call) => {
      const refund = getRefund(store, c.req.param('id'))
      if (refund.status === 'failed') throw refused('It has failed already')
      if (refund.balance_transaction === null)
        throw refused('No money was refunded: an authorization was released')
      return failRefund(call, refund, reason)
    })
    return c.json(failed)
  })

  app.post('/charges/:charge/early_fraud_warning', async (c) => {
    const { fraudType } = await readBody(c, warningBody)
    const warning = act((call) => warnOfFraud(call, capturedCharge(store, c.req.param('charge')), fraudType))
    return c.json(warning)
  })

  return app
}

function idOfCharge(store: Store, id: string): string {
  const intent = store.find('payment_intent', id)
  return intent ? (idOf(intent.object.latest_charge) ?? id) : id
}

function capturedCharge(store: Store, id: string): Stripe.Charge {
  const found = store.find('charge', idOfCharge(store, id))
  if (!found) throw noSuch('charge', id, 'charge', 404)
  if (!found.object.captured) throw refused(`${id} was not paid`)
  return found.object
}

/** A bank may take back all that was paid, whatever went back before. */
function disputedAmount(charge: Stripe.Charge, wantedMinor: number | undefined): number {
  const amountMinor = wantedMinor ?? charge.amount_captured
  if (amountMinor > charge.amount_captured) throw refused('More than was paid cannot be disputed')
  return amountMinor
}
