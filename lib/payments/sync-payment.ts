import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { askStripe, type Stripe } from '../stripe/server'
import { intentFacts } from './facts'

const MAX_FETCHES = 3

const Outcome = z.object({ outcome: z.enum(['applied', 'stale']), version: z.number().int().nullable() })

/**
 * Make our row say what Stripe says: fetch the PaymentIntent, apply it unless the row has moved in between, else fetch
 * again. The one way to ask Stripe for news: webhooks that are hints, the result page, the sweeper and replays all use it.
 * @param expectedVersion the row's version when the caller learned that it may be out of date; 0 for a row not there yet
 * @throws AppError unavailable when the row kept moving for three fetches
 */
export async function syncPaymentIntent(input: {
  intentId: string
  expectedVersion: number
  source: 'webhook' | 'sync' | 'sweep'
  eventId?: string
}): Promise<Stripe.PaymentIntent> {
  let expectedVersion = input.expectedVersion
  for (let fetches = 0; fetches < MAX_FETCHES; fetches++) {
    const intent = await askStripe((stripe) =>
      stripe.paymentIntents.retrieve(input.intentId, { expand: ['latest_charge'] }),
    )
    const answer = await callService('apply_snapshot', {
      p_livemode: env().livemode,
      p_intent: { json: await intentFacts(intent) },
      p_expected_version: expectedVersion,
      p_event_id: input.eventId ?? null,
      p_source: input.source,
    })
    const { outcome, version } = Outcome.parse(answer)
    if (outcome === 'applied') return intent
    expectedVersion = version ?? 0
  }
  throw new AppError('unavailable', { retryAfterSeconds: 1 })
}
