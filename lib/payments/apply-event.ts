import 'server-only'
import { z } from 'zod'
import { callService, databaseCode, isStatementTimeout } from '../db/sql'
import { env, STRIPE_API_VERSION } from '../env'
import { AppError, isAppError } from '../errors'
import { errorFields, log } from '../log'
import { stopCardSetup } from '../payment-methods/stop-card-setup'
import { forEvent } from '../request-context'
import { isStripeOutage, retryAfterSeconds, stripeErrorCode } from '../stripe/server'
import type { SecretName } from '../stripe/webhook'
import { carryOutDecisionOn } from './carry-out-decisions'
import { crashPoint } from './crash-point'
import type { EventFacts } from './facts'
import { SyncKind, syncObject } from './sync-object'

const Answer = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['processed', 'duplicate', 'ignored', 'rejected', 'failed', 'parked']) }),
  z.object({
    outcome: z.literal('needs_fetch'),
    fetch: z.object({ object: SyncKind, id: z.string() }),
    expectedVersion: z.number().int(),
  }),
])

export type EventOutcome = 'processed' | 'duplicate' | 'ignored' | 'rejected' | 'parked'

/**
 * Make an event true, once, whatever came before it and however often it comes. When this returns, it is committed.
 * @throws AppError unavailable when it could not be applied now: the event is kept if the database could be reached, and
 *   Stripe is to send it again either way
 */
export async function applyEvent(input: ReceivedEvent): Promise<EventOutcome> {
  return await forEvent(input.event.id, () => applyAndFollowUp(input))
}

type ReceivedEvent = {
  event: EventFacts
  payloadHash: string
  verifiedWith: SecretName | null
  source: 'webhook' | 'sweep' | 'replay'
}

async function applyAndFollowUp(input: ReceivedEvent): Promise<EventOutcome> {
  const { event } = input
  crashPoint('event.verified')
  const outcome = await attempt(input)
  crashPoint('event.applied')
  log.info('event_applied', { type: event.type, outcome, source: input.source })
  if (outcome === 'failed') throw new AppError('unavailable', { retryAfterSeconds: 10 })
  const intentId = MAY_LEAD_TO_DECISION.has(event.type) ? intentIdOf(event) : null
  if (intentId && outcome === 'processed') await carryOutDecisionOn(intentId, input.source)
  if (event.type === 'setup_intent.setup_failed' && outcome === 'processed' && event.object.id)
    await stopCardSetup(event.object.id)
  return outcome
}

/** A decline can end its payment; an amount that is held is taken or let go. */
const MAY_LEAD_TO_DECISION = new Set([
  'charge.failed',
  'payment_intent.payment_failed',
  'payment_intent.amount_capturable_updated',
])

function intentIdOf({ object }: EventFacts): string | null {
  return 'payment_intent' in object ? object.payment_intent : object.id
}

async function attempt({
  event,
  payloadHash,
  verifiedWith,
  source,
}: Parameters<typeof applyEvent>[0]): Promise<EventOutcome | 'failed'> {
  const { livemode, stripe } = env()
  try {
    const answer = Answer.parse(
      await callService('apply_event', {
        p_event: { json: event },
        p_payload_hash: payloadHash,
        p_verified_with: verifiedWith,
        p_source: source,
        p_livemode: livemode,
        p_account: stripe.accountId,
        p_api_version: STRIPE_API_VERSION,
      }),
    )
    if (answer.outcome !== 'needs_fetch') return answer.outcome
    crashPoint('event.kept')
    const { fetch, expectedVersion } = answer
    await syncObject({
      kind: fetch.object,
      id: fetch.id,
      expectedVersion,
      eventId: event.id,
      source,
    })
    return 'processed'
  } catch (error) {
    // An outage, ours or Stripe's, says nothing about the event: it does not bring it nearer to being parked.
    if (isAppError(error, 'unavailable')) {
      if (isStatementTimeout(error.reason()))
        return await noteTimeout({ event, payloadHash, verifiedWith, source }, error)
      throw error
    }
    if (isStripeOutage(error)) {
      throw new AppError('unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
    }
    log.error('event_failed', { type: event.type, ...errorFields(error) })
    const code = databaseCode(error) ?? stripeErrorCode(error)
    const noted = await callService('event_failed', {
      p_livemode: event.livemode,
      p_event_id: event.id,
      p_code: code,
    })
    return noted === 'parked' ? 'parked' : 'failed'
  }
}

/**
 * A statement that ran out of time is the event's fault or a slow database's: the database keeps the event, and weighs
 * what has become of the others meanwhile. What cannot even be noted is the database's fault.
 */
async function noteTimeout(
  { event, payloadHash, verifiedWith, source }: Parameters<typeof applyEvent>[0],
  timeout: AppError,
): Promise<'failed' | 'parked'> {
  log.warn('event_timed_out', { type: event.type })
  const noted = await callService('event_timed_out', {
    p_event: { json: event },
    p_payload_hash: payloadHash,
    p_verified_with: verifiedWith,
    p_source: source,
  }).catch(() => {
    throw timeout
  })
  return noted === 'parked' ? 'parked' : 'failed'
}
