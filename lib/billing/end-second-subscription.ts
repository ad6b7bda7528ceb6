import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { log } from '../log'
import { syncObject } from '../payments/sync-object'
import { askStripe, createFailure, stripeErrorCode } from '../stripe/server'

/** A second subscription of one product group that the database has decided against. */
export const Cancellation = z.object({
  id: z.uuid(),
  stripeId: z.string(),
  version: z.number().int(),
  attempt: z.number().int(),
  ended: z.boolean(),
})
export type Cancellation = z.infer<typeof Cancellation>

/**
 * End it at Stripe now, and send back what was paid for it. Safe to repeat: Stripe ends it once, and of what went back nothing
 * is left to send. What cannot be done yet, the next sweep does.
 * @throws AppError or StripeError when it has to be tried again
 */
export async function endSecondSubscription(cancellation: Cancellation): Promise<void> {
  const { id, stripeId, version, attempt, ended } = cancellation
  if (!ended) {
    try {
      await askStripe((stripe) =>
        stripe.subscriptions.cancel(stripeId, {}, { idempotencyKey: `second-subscription:${id}:${attempt}` }),
      )
    } catch (error) {
      // It is over already: what Stripe says now is what we learn below.
      if (createFailure(error) !== 'refused') throw error
      log.warn('cancellation_refused', { code: stripeErrorCode(error) })
    }
    await syncObject({ kind: 'subscription', id: stripeId, expectedVersion: version, source: 'sweep' })
  }
  const done = await callService('refund_cancelled_subscription', { p_subscription_id: id })
  log.info('second_subscription_ended', { outcome: done === true ? 'done' : 'to_refund' })
}
