import 'server-only'
import { z } from 'zod'
import { Cancellation, endSecondSubscription } from '../billing/end-second-subscription'
import { Checkout } from '../billing/subscribe'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { continueErasure, Erasure } from '../privacy/erase-account'
import { endSignal } from '../process/drain'
import { applyEvent } from './apply-event'
import { carryOutDecision, Decision } from './carry-out-decisions'
import { ensureIntent } from './ensure-intent'
import { OpenPayment } from './open-payment'
import { carryOut, RefundRequest } from './refund-payment'
import { StoredEvent } from './stored-event'
import { syncCheckout } from './sync-object'

const BATCH = 20
/** Platforms cut a request off after a minute or so; what is left then is for the next call. */
const TIME_BUDGET_MS = 25_000

export type Swept = {
  events: number
  refunds: number
  payments: number
  orders: number
  decisions: number
  cancellations: number
  erasures: number
  checkouts: number
  failures: number
}

/**
 * Finish what was left half-way, without the customer: events that could not be applied, refunds Stripe has not answered,
 * payments whose PaymentIntent was never linked, payments nobody has told us about for a while, orders that have expired,
 * decisions not carried out, second subscriptions not ended, erasures that are not done, Checkout pages that were left.
 * Any number of sweeps may run at once: each row is claimed by one.
 */
export async function sweep(): Promise<Swept> {
  const { livemode } = env()
  const deadline = Date.now() + TIME_BUDGET_MS
  const claim = async (name: string) =>
    z.array(z.unknown()).parse(await callService(name, { p_livemode: livemode, p_limit: BATCH }))
  const swept: Swept = {
    events: 0,
    refunds: 0,
    payments: 0,
    orders: 0,
    decisions: 0,
    cancellations: 0,
    erasures: 0,
    checkouts: 0,
    failures: 0,
  }

  /** A row that cannot even be read holds up no other. */
  async function each<Row>(
    kind: 'events' | 'refunds' | 'payments' | 'decisions' | 'cancellations' | 'erasures' | 'checkouts',
    name: string,
    row: z.ZodType<Row>,
    finish: (row: Row) => Promise<unknown>,
  ): Promise<void> {
    for (let rows = await claim(name); rows.length > 0; rows = rows.length < BATCH ? [] : await claim(name)) {
      for (const claimed of rows) {
        if (Date.now() > deadline || endSignal().aborted) return
        swept[kind]++
        try {
          await finish(row.parse(claimed))
        } catch (error) {
          swept.failures++
          log.warn('sweep_failed', { kind, ...errorFields(error) })
        }
      }
    }
  }

  await each('events', 'events_to_retry', StoredEvent, ({ event, payloadHash }) =>
    applyEvent({ event, payloadHash, verifiedWith: null, source: 'sweep' }),
  )
  await each('refunds', 'refunds_to_sweep', RefundRequest, (refund) => carryOut(refund, 'sweep'))
  await each('payments', 'payments_to_sweep', OpenPayment, (payment) => ensureIntent(payment, 'sweep'))
  const expired = await callService('expire_orders', { p_livemode: livemode, p_limit: BATCH })
  swept.orders = z.number().int().parse(expired)
  // Last: what came in above may have led to some.
  await each('decisions', 'decisions_to_carry_out', Decision, (decision) =>
    carryOutDecision(decision, 'sweep'),
  )
  await each('checkouts', 'checkouts_to_sweep', Checkout, async ({ sessionId, version }) => {
    if (sessionId) await syncCheckout({ id: sessionId, expectedVersion: version, source: 'sweep' })
  })
  await each('cancellations', 'cancellations_to_carry_out', Cancellation, endSecondSubscription)
  await each('erasures', 'erasures_to_continue', Erasure, continueErasure)
  return swept
}
