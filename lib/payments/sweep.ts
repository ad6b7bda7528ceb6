import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { applyEvent } from './apply-event'
import { ensureIntent } from './ensure-intent'
import type { EventFacts } from './facts'
import { OpenPayment } from './open-payment'
import { carryOut, RefundRequest } from './refund-payment'

const BATCH = 20

const StoredEvents = z.array(
  z.object({ event: z.custom<EventFacts>((value) => typeof value === 'object'), payloadHash: z.string() }),
)

/**
 * Finish what was left half-way, without the customer: payments whose PaymentIntent was never linked, payments nobody has
 * told us about for a while, refunds Stripe has not answered, events that could not be applied. Any number of sweeps may run
 * at once.
 */
export async function sweep(): Promise<{
  payments: number
  refunds: number
  events: number
  failures: number
}> {
  const { livemode } = env()
  const payments = z
    .array(OpenPayment)
    .parse(await callService('payments_to_sweep', { p_livemode: livemode, p_limit: BATCH }))
  const refunds = z
    .array(RefundRequest)
    .parse(await callService('refunds_to_sweep', { p_livemode: livemode, p_limit: BATCH }))
  const events = StoredEvents.parse(
    await callService('events_to_retry', { p_livemode: livemode, p_limit: BATCH }),
  )
  let failures = 0

  for (const payment of payments) {
    await ensureIntent(payment, 'sweep').catch((error: unknown) => {
      failures++
      log.warn('sweep_payment_failed', { paymentId: payment.id, ...errorFields(error) })
    })
  }
  for (const refund of refunds) {
    await carryOut(refund).catch((error: unknown) => {
      failures++
      log.warn('sweep_refund_failed', { requestId: refund.id, ...errorFields(error) })
    })
  }
  for (const { event, payloadHash } of events) {
    await applyEvent({ event, payloadHash, verifiedWith: null, source: 'sweep' }).catch((error: unknown) => {
      failures++
      log.warn('sweep_event_failed', { eventId: event.id, ...errorFields(error) })
    })
  }
  return { payments: payments.length, refunds: refunds.length, events: events.length, failures }
}
