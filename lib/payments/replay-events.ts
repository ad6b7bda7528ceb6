import 'server-only'
import { z } from 'zod'
import type { Staff } from '../auth/require-staff'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { applyEvent, type EventOutcome } from './apply-event'
import type { ReplayInput } from './event-schema'
import { StoredEvent } from './stored-event'

const BATCH = 20
/** Platforms cut a request off after a minute or so; what is left then is the sweeper's. */
const TIME_BUDGET_MS = 25_000

const Started = z.object({ replayId: z.uuid(), events: z.number().int() })

export type Replay = {
  replayId: string
  events: number
  /** What became of those that were applied here; the rest is the sweeper's. */
  outcomes: Partial<Record<EventOutcome | 'failed', number>>
}

/**
 * Have events applied again, over the same way as when they came. Nothing is done twice: every effect has a key of its own.
 * @throws AppError forbidden, not_found, not_replayable, range_too_large, bad_request
 */
export async function replayEvents({ staff, input }: { staff: Staff; input: ReplayInput }): Promise<Replay> {
  const { replayId, events } = Started.parse(
    await inWords(start(staff, input), { '55000': 'not_replayable', PW011: 'range_too_large' }),
  )
  log.security('staff_action', { action: 'replay', runId: replayId, count: events })
  return { replayId, events, outcomes: await applyAll(replayId) }
}

/** The events are pending from here on, and would be applied by the sweeper also if this process ended now. */
function start(staff: Staff, input: ReplayInput): Promise<unknown> {
  const common = { p_actor: staff.id, p_livemode: env().livemode, p_reason: input.reason }
  if ('eventId' in input) return callService('replay_event', { ...common, p_event_id: input.eventId })
  return callService('replay_events', {
    ...common,
    p_from: input.from,
    p_until: input.until,
    p_status: input.status,
    p_type: input.type ?? null,
  })
}

async function applyAll(replayId: string): Promise<Replay['outcomes']> {
  const outcomes: Replay['outcomes'] = {}
  const deadline = Date.now() + TIME_BUDGET_MS
  const claim = { p_livemode: env().livemode, p_replay_id: replayId, p_limit: BATCH }
  while (Date.now() < deadline) {
    const claimed = z.array(StoredEvent).parse(await callService('replayed_events', claim))
    for (const { event, payloadHash } of claimed) {
      const outcome = await applyEvent({ event, payloadHash, verifiedWith: null, source: 'replay' }).catch(
        (error: unknown) => {
          // Kept, and tried again by the sweeper until it is parked.
          log.warn('replay_failed', { runId: replayId, eventId: event.id, ...errorFields(error) })
          return 'failed' as const
        },
      )
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
    if (claimed.length < BATCH) break
  }
  return outcomes
}
