import { requireCron } from '@/lib/auth/require-cron'
import { json, route } from '@/lib/http'
import { reconcile } from '@/lib/payments/reconcile'
import { endSignal } from '@/lib/process/drain'

/** Well below what a hosted function or a scheduler waits for; a longer run goes on at the next call. */
const STOP_AFTER_MS = 20_000

/** Compare with Stripe and repair. 200: done; 202: there is more, call again; 409: another run is going on. */
export const POST = route(async (request) => {
  requireCron(request)

  const { runId, counts, ending } = await reconcile({
    mode: 'repair',
    since: null,
    stop: AbortSignal.any([AbortSignal.timeout(STOP_AFTER_MS), endSignal()]),
  })

  if (!ending) return json({ runId, counts, outcome: 'unfinished' }, 202)
  const unresolved = ending.findings.filter((finding) => !finding.resolved).length
  return json({
    runId,
    counts,
    outcome: ending.outcome,
    findings: ending.findings.length,
    unresolved,
    totals: ending.totals,
  })
})
