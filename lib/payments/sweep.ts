import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { applyEvent } from './apply-event'
import { carryOutDecision, Decision } from './carry-out-decisions'
import { ensureIntent } from './ensure-intent'
import type { EventFacts } from './facts'
import { OpenPayment } from './open-payment'
import { carryOut, RefundRequest } from './refund-payment'

const BATCH = 20
/** Platforms cut a request off after a minute or so; what is left then is for the next call. */
const TIME_BUDGET_MS = 25_000

const StoredEvents = z.array(
  z.object({ event: z.custom<EventFacts>((value) => typeof value === 'object'), payloadHash: z.string() }),
)

export type Swept = { events: number; refunds: number; payments: number; decisions: number; failures: number }

/**
 * Finish what was left half-way, without the customer: events that could not be applied, refunds Stripe has not answered,
 * payments whose PaymentIntent was never linked, payments nobody has told us about for a while, decisions not carried out.
 * Any number of sweeps may run at once: each row is claimed by one.
 */
export async function sweep(): Promise<Swept> {
  const { livemode } = env()
  const deadline = Date.now() + TIME_BUDGET_MS
  const claim = (name: string) => callService(name, { p_livemode: livemode, p_limit: BATCH })
  const swept: Swept = { events: 0, refunds: 0, payments: 0, decisions: 0, failures: 0 }

  async function each<Row>(
    kind: 'events' | 'refunds' | 'payments' | 'decisions',
    claimed: () => Promise<Row[]>,
    finish: (row: Row) => Promise<unknown>,
  ): Promise<void> {
    for (let rows = await claimed(); rows.length > 0; rows = rows.length < BATCH ? [] : await claimed()) {
      for (const row of rows) {
        if (Date.now() > deadline) return
        swept[kind]++
        await finish(row).catch((error: unknown) => {
          swept.failures++
          log.warn('sweep_failed', { kind, ...errorFields(error) })
        })
      }
    }
  }

  await each(
    'events',
    async () => StoredEvents.parse(await claim('events_to_retry')),
    ({ event, payloadHash }) => applyEvent({ event, payloadHash, verifiedWith: null, source: 'sweep' }),
  )
  await each(
    'refunds',
    async () => z.array(RefundRequest).parse(await claim('refunds_to_sweep')),
    (refund) => carryOut(refund, 'sweep'),
  )
  await each(
    'payments',
    async () => z.array(OpenPayment).parse(await claim('payments_to_sweep')),
    (payment) => ensureIntent(payment, 'sweep'),
  )
  // Last: what came in above may have led to some.
  await each(
    'decisions',
    async () => z.array(Decision).parse(await claim('decisions_to_carry_out')),
    (decision) => carryOutDecision(decision, 'sweep'),
  )
  return swept
}
