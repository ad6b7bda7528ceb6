import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { askStripe, isNotFound, type Stripe } from '../stripe/server'
import { applyEvent } from './apply-event'
import { eventFacts, sha256 } from './facts'
import type { ReconcileRun } from './reconcile-run'

const PAGE = 100
const FACTS = new Set([
  'payment_intent.succeeded',
  'payment_intent.canceled',
  'charge.succeeded',
  'charge.failed',
])
const HANDLED =
  /^((payment_intent|charge|refund|radar\.early_fraud_warning|customer\.subscription|invoice|checkout\.session)\.|setup_intent\.setup_failed$)/

/**
 * The next page of Stripe's events, oldest first, into the inbox: those that never reached us. A dry run counts them only.
 * Notes how far it is come, in the run.
 */
export async function sweepEvents(run: ReconcileRun): Promise<void> {
  const page = await nextPage(run)
  const events = page.events.filter(({ type }) => HANDLED.test(type))
  const missed = new Set(await unknownIds(events))
  run.counts.events += page.events.length
  run.counts.eventsMissed += missed.size

  for (const event of factsFirst(events)) {
    if (run.mode === 'dry_run' || !missed.has(event.id)) continue
    const taken = { event: await eventFacts(event), payloadHash: await sha256(JSON.stringify(event)) }
    await applyEvent({ ...taken, verifiedWith: null, source: 'sweep' }).catch((error: unknown) => {
      // Kept and tried again by the sweeper; and what it is about is compared below, in any case.
      run.counts.eventsFailed++
      log.warn('reconcile_event_failed', { eventId: event.id, ...errorFields(error) })
    })
  }
  await run.note(
    [],
    page.hasMore ? { ...run.cursor, after: page.newestId } : { step: 'list', kind: 'payment_intent' },
  )
}

/** In which order they apply does not matter; a hint about what is final by then costs no request. */
function factsFirst(events: Stripe.Event[]): Stripe.Event[] {
  return events.toSorted((a, b) => Number(FACTS.has(b.type)) - Number(FACTS.has(a.type)))
}

type Page = { events: Stripe.Event[]; newestId?: string; hasMore: boolean }

/** Stripe lists the newest first; `ending_before` walks the other way, from an event that is known. */
async function nextPage(run: ReconcileRun): Promise<Page> {
  const { after } = run.cursor
  if (!after) return await firstPage(run.since)
  try {
    return await pageAfter(after)
  } catch (error) {
    // Forgotten by Stripe while the run was lying idle: begin again by time.
    if (isNotFound(error)) return await firstPage(run.since)
    throw error
  }
}

async function firstPage(since: Date): Promise<Page> {
  const at = Math.floor(since.getTime() / 1000)
  const before = await askStripe((stripe) => stripe.events.list({ created: { lt: at }, limit: 1 }))
  const [anchor] = before.data
  if (anchor) return await pageAfter(anchor.id)

  // Stripe has nothing older: walk down to its oldest event.
  let oldest = await askStripe((stripe) => stripe.events.list({ limit: PAGE }))
  let isNewest = true
  for (let last = oldest.data.at(-1); oldest.has_more && last; last = oldest.data.at(-1)) {
    const starting_after = last.id
    oldest = await askStripe((stripe) => stripe.events.list({ limit: PAGE, starting_after }))
    isNewest = false
  }
  return { events: oldest.data.toReversed(), newestId: oldest.data[0]?.id, hasMore: !isNewest }
}

async function pageAfter(id: string): Promise<Page> {
  const { data, has_more } = await askStripe((stripe) =>
    stripe.events.list({ ending_before: id, limit: PAGE }),
  )
  return { events: data.toReversed(), newestId: data[0]?.id ?? id, hasMore: has_more }
}

async function unknownIds(events: Stripe.Event[]): Promise<string[]> {
  const unknown = await callService('unknown_events', {
    p_livemode: env().livemode,
    p_event_ids: { json: events.map(({ id }) => id) },
  })
  return z.array(z.string()).parse(unknown)
}
