import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { askStripe, createFailure, type Stripe, stripeErrorCode } from '../stripe/server'
import { crashPoint } from './crash-point'
import { type SyncSource, syncPaymentIntent } from './sync-object'

/** What the database has decided to do at Stripe about a payment. */
export const Decision = z.object({
  paymentId: z.uuid(),
  intentId: z.string(),
  decision: z.enum(['capture', 'cancel']),
  reason: z.string(),
  version: z.number().int(),
  /** Which try this is. */
  attempt: z.number().int(),
})
export type Decision = z.infer<typeof Decision>

const CANCELLATION_REASONS: Readonly<
  Record<string, NonNullable<Stripe.PaymentIntentCancelParams['cancellation_reason']>>
> = {
  too_many_failures: 'fraudulent',
  order_canceled: 'requested_by_customer',
}

/** Carry out at once what has just been decided about a PaymentIntent. Never throws: what fails is the sweeper's. */
export async function carryOutDecisionOn(intentId: string, source: SyncSource): Promise<void> {
  try {
    const claimed = await callService('decisions_to_carry_out', {
      p_livemode: env().livemode,
      p_limit: 1,
      p_intent_id: intentId,
    })
    for (const decision of z.array(Decision).parse(claimed)) await carryOutDecision(decision, source)
  } catch (error) {
    log.warn('decision_failed', { intentId, ...errorFields(error) })
  }
}

/**
 * Cancel a payment that was declined too often or left lying; take or let go of an amount that was held until its card's
 * country was known. Safe to repeat, by anybody: what Stripe refuses because the payment has moved on is not insisted on,
 * and a payment that has succeeded stays.
 * @throws AppError or StripeError when it has to be tried again
 */
export async function carryOutDecision(
  { paymentId, intentId, decision, reason, version, attempt }: Decision,
  source: SyncSource,
): Promise<void> {
  crashPoint('decision.claimed')
  // Stripe does either only once anyway. A key of its own for each try: it would repeat a refusal of a moment for a day.
  const options = { idempotencyKey: `decision:${paymentId}:${attempt}` }
  try {
    await askStripe((stripe) =>
      decision === 'capture'
        ? stripe.paymentIntents.capture(intentId, {}, options)
        : stripe.paymentIntents.cancel(
            intentId,
            { cancellation_reason: CANCELLATION_REASONS[reason] ?? 'abandoned' },
            options,
          ),
    )
    log.info('decision_carried_out', { paymentId, decision, reason })
  } catch (error) {
    if (createFailure(error) !== 'refused') throw error
    // It is paid, cancelled or busy already: what Stripe says now is what we learn below.
    log.warn('decision_refused', { paymentId, decision, reason, code: stripeErrorCode(error) })
  }
  crashPoint('decision.asked')
  await syncPaymentIntent({ id: intentId, expectedVersion: version, source })
}
