import 'server-only'
import { withLease } from '../db/lease'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import { atPace } from '../stripe/pace'
import { Stripe } from '../stripe/server'
import { crashPoint } from './crash-point'
import {
  COMPARED,
  type ComparedKind,
  type Difference,
  type ReconcileCounts,
  type ReconcileEnding,
  type ReconcileMode,
  ReconcileRun,
} from './reconcile-run'
import { repairDrift } from './repair-drift'
import { fetchObject, listObjects } from './seen-objects'
import { sweepEvents } from './sweep-events'

const REQUESTS_PER_SECOND = 10
const FETCHED_AT_ONCE = 10
/** Objects compared at once, and how many of them may differ: few where each may cost a request or two. */
const COMPARED_AT_ONCE = { dry_run: { scan: 500, limit: 200 }, repair: { scan: 500, limit: 20 } } as const
/** What differs because its webhook is on the way does not differ any more after this long. */
const SETTLE_MS = 3_000

export type ReconcileReport = {
  runId: string
  mode: ReconcileMode
  since: string
  startedAt: string
  /** It went on with a run that had been interrupted. */
  resumed: boolean
  counts: ReconcileCounts
  /** Null when it was stopped before the end; the next run goes on from there. */
  ending: ReconcileEnding | null
}

/**
 * Compare what we have with what Stripe has, and in mode `repair` make ours follow. In this order: take in the events that
 * never reached us; note what Stripe lists; ask for what no list shows; compare, object by object and in the totals of the
 * ledger.
 * @param stop ends the run early, between two pages of its work
 * @throws AppError already_running when another run holds the lease, or took it over from this one
 * @throws AppError provider_unavailable when Stripe does not answer; the next run goes on from there
 */
export async function reconcile(input: {
  mode: ReconcileMode
  since: Date | null
  stop?: AbortSignal
}): Promise<ReconcileReport> {
  const name = env().livemode ? 'reconcile_live' : 'reconcile_test'
  return await withLease(name, (lease) =>
    atPace(REQUESTS_PER_SECOND, async () => {
      const run = await ReconcileRun.start(lease, input.mode, input.since)
      const settled = settling()
      while (run.cursor.step !== 'done' && !input.stop?.aborted) {
        await nextPage(run, settled).catch(withoutStripe)
        crashPoint('reconcile.noted')
      }
      const ending = run.cursor.step === 'done' ? await run.finish() : null
      const { id: runId, mode, resumed, startedAt, counts } = run
      const unresolved = ending?.findings.filter((finding) => !finding.resolved).length
      log.info('reconciled', { runId, mode, outcome: ending?.outcome ?? 'unfinished', unresolved })
      return { runId, mode, since: run.since.toISOString(), startedAt, resumed, counts, ending }
    }),
  )
}

function withoutStripe(error: unknown): never {
  if (!(error instanceof Stripe.errors.StripeError)) throw error
  throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: 30 })
}

/** Each does one piece of work and notes where to go on. */
async function nextPage(run: ReconcileRun, settled: () => Promise<void>): Promise<void> {
  switch (run.cursor.step) {
    case 'events':
      return await sweepEvents(run)
    case 'list':
      return await listNext(run)
    case 'due':
      return await fetchDue(run)
    case 'compare':
      return await compareNext(run, settled)
    case 'done':
  }
}

async function listNext(run: ReconcileRun): Promise<void> {
  const { kind, after } = run.cursor
  const { objects, next } = await listObjects(kind, run.since, after)
  const following = kindAfter(kind)
  run.counts[kind] += objects.length
  if (next) await run.note(objects, { step: 'list', kind, after: next })
  else if (following) await run.note(objects, { step: 'list', kind: following })
  else await run.note(objects, { step: 'due', kind: 'payment_intent' })
}

async function fetchDue(run: ReconcileRun): Promise<void> {
  const due = await run.due(FETCHED_AT_ONCE)
  const objects = []
  for (const { kind, id } of due) objects.push(await fetchObject(kind, id))
  for (const { kind } of objects) run.counts[kind]++
  run.counts.fetched += objects.length
  await run.note(objects, due.length > 0 ? run.cursor : { step: 'compare', kind: 'payment_intent' })
}

async function compareNext(run: ReconcileRun, settled: () => Promise<void>): Promise<void> {
  const { kind, after = '' } = run.cursor
  const page = await run.nextDrift(kind, { after, ...COMPARED_AT_ONCE[run.mode] })
  if (page.last === null) {
    const following = kindAfter(kind)
    return await run.note([], following ? { step: 'compare', kind: following } : { step: 'done', kind })
  }
  if (page.differences.length > 0) await settleDrift(run, kind, page.differences, settled)
  await run.note([], { step: 'compare', kind, after: page.last })
}

/** Look twice before calling it drift: a webhook may have been on its way, or ours may be the newer news. */
async function settleDrift(
  run: ReconcileRun,
  kind: ComparedKind,
  suspected: Difference[],
  settled: () => Promise<void>,
): Promise<void> {
  await settled()
  const differing = suspected.filter(({ kind }) => kind !== 'missing_here' && kind !== 'missing_there')
  await lookAgain(run, kind, differing)
  const found = await run.driftOf(kind, subjectsOf(suspected))
  if (found.length === 0) return
  await run.noteFindings(found)
  crashPoint('reconcile.found')

  if (run.mode === 'dry_run') return
  run.counts.repairsFailed += await repairDrift(found)
  crashPoint('reconcile.repaired')
  // Still there: it may have gone on changing at Stripe between the look and the repair.
  await lookAgain(run, kind, await run.driftOf(kind, subjectsOf(found)))
}

/** Fetch what differs. Balance transactions never change, and one that was not there was fetched already. */
async function lookAgain(
  run: ReconcileRun,
  kind: ComparedKind,
  differing: { kind: string; subject: string }[],
): Promise<void> {
  if (kind === 'balance_transaction') return
  const objects = []
  for (const id of subjectsOf(differing)) objects.push(await fetchObject(kind, id))
  if (objects.length > 0) await run.note(objects)
}

function subjectsOf(differences: { subject: string }[]): string[] {
  return [...new Set(differences.map(({ subject }) => subject))]
}

function kindAfter(kind: ComparedKind): ComparedKind | undefined {
  return COMPARED[COMPARED.indexOf(kind) + 1]
}

/** A wait that is over once for all: only the first to ask for it, soon after the lists were read, really waits. */
function settling(): () => Promise<void> {
  let settled: Promise<void> | undefined
  return () => {
    settled ??= new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    return settled
  }
}
