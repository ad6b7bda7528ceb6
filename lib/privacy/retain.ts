import 'server-only'
import { z } from 'zod'
import { withLease } from '../db/lease'
import { callService } from '../db/sql'
import { endSignal } from '../process/drain'

/** What is kept for a time only. How long, the database knows and docs/privacy.md says. */
const KINDS = [
  'event_payloads',
  'idempotency_keys',
  'networks',
  'unpaid_orders',
  'reconciliation',
  'mails',
  'auth_log',
] as const
type Kind = (typeof KINDS)[number]

const BATCH = 500
/** Platforms cut a request off after a minute or so; what is left then is for the next call. */
const TIME_BUDGET_MS = 25_000

/**
 * Take away what is older than its age allows. Answers how many rows of each kind were.
 * @throws AppError already_running
 */
export async function retain(): Promise<Record<Kind, number>> {
  const deadline = Date.now() + TIME_BUDGET_MS
  return await withLease('retention', async ({ fencing }) => {
    const removed = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<Kind, number>
    for (const kind of KINDS) {
      let rows = BATCH
      while (rows >= BATCH && Date.now() < deadline && !endSignal().aborted) {
        const said = await callService('retain', { p_what: kind, p_fencing: fencing, p_limit: BATCH })
        rows = z.number().int().parse(said)
        removed[kind] += rows
      }
    }
    return removed
  })
}
