import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { log } from '../log'
import { syncObject } from '../payments/sync-object'
import { askStripe, createFailure, stripeErrorCode } from '../stripe/server'

const Known = z.object({ stripeId: z.string(), version: z.number().int() })
type Known = z.infer<typeof Known>

/** A second subscription of one product group that the database has decided against. */
export const Cancellation = Known.extend({
  id: z.uuid(),
  attempt: z.number().int(),
  ended: z.boolean(),
  /** Those that were there first. */
  older: z.array(Known),
})
export type Cancellation = z.infer<typeof Cancellation>

/**
 * End it at Stripe now, and send back what was paid for it; unless the one that was there first is over by now, or was when this
 * one began, which nobody may have told us. Safe to repeat: Stripe ends it once, and of what went back nothing is left to send.
 * What cannot be done yet, the next sweep does.
 * @throws AppError or StripeError when it has to be tried again
 */
export async function endSecondSubscription(cancellation: Cancellation): Promise<void> {
  const { id, stripeId, version, attempt, ended, older } = cancellation
  const about = { p_subscription_id: id }
  // An earlier try may have ended it, and died before it knew.
  await lookAt(attempt > 1 && !ended ? [...older, { stripeId, version }] : older)
  if ((await callService('keep_second_subscription', about)) === true) {
    log.info('second_subscription_ended', { outcome: 'kept' })
    return
  }
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
    await lookAt([{ stripeId, version }])
  }
  const done = await callService('refund_cancelled_subscription', about)
  log.info('second_subscription_ended', { outcome: done === true ? 'done' : 'to_refund' })
}

async function lookAt(subscriptions: readonly Known[]): Promise<void> {
  for (const { stripeId, version } of subscriptions)
    await syncObject({ kind: 'subscription', id: stripeId, expectedVersion: version, source: 'sweep' })
}
