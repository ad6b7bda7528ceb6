import 'server-only'
import { z } from 'zod'
import type { Lease } from '../db/lease'
import { callService, databaseCode } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'

/** A large account is added up in one statement. */
const UNHURRIED = { limitMs: 30_000 }

/** What is compared, in this order: where a payment is missing, what hangs on it need not be told as well. */
export const COMPARED = [
  'payment_intent',
  'refund',
  'dispute',
  'subscription',
  'balance_transaction',
] as const
export const ComparedKind = z.enum(COMPARED)
export type ComparedKind = z.infer<typeof ComparedKind>

export const MODES = ['dry_run', 'repair'] as const
export type ReconcileMode = (typeof MODES)[number]

/** What is kept of an object at Stripe: ids, states and amounts. Amounts in minor units; of a balance transaction, its net. */
export type SeenObject = {
  id: string
  kind: ComparedKind
  /** Stripe does not know it. */
  gone?: true
  status?: string | null
  amount?: number
  received?: number
  refunded?: number
  currency?: string
  payment_intent?: string | null
  /** The payment of ours that the metadata names. */
  named_payment?: string | null
  source_kind?: string | null
  source?: string | null
}

/** The next piece of work. `after`: the last object of the page before. */
const Cursor = z.object({
  step: z.enum(['events', 'list', 'due', 'compare', 'done']).default('events'),
  kind: ComparedKind.default('payment_intent'),
  after: z.string().optional(),
})
export type Cursor = z.infer<typeof Cursor>

const count = z.number().int().default(0)
const Counts = z.object({
  events: count,
  /** Events that had not reached us; taken in by a repairing run. */
  eventsMissed: count,
  eventsFailed: count,
  payment_intent: count,
  refund: count,
  dispute: count,
  subscription: count,
  balance_transaction: count,
  /** Of those five, fetched one by one because no list showed them. */
  fetched: count,
  repairsFailed: count,
})
export type ReconcileCounts = z.infer<typeof Counts>

const Started = z.object({
  id: z.uuid(),
  since: z.string(),
  startedAt: z.string(),
  cursor: Cursor,
  counts: Counts,
  resumed: z.boolean(),
})

const Finding = z.object({
  object: ComparedKind,
  subject: z.string(),
  kind: z.enum(['missing_here', 'missing_there', 'status', 'amount', 'refund_sum', 'orphan', 'ledger']),
  detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
const Difference = Finding.extend({ version: z.number().int() })
/** A difference between our row (at `version`, 0 for none) and what Stripe said. */
export type Difference = z.infer<typeof Difference>

const minor = z.number().int()
const Ending = z.object({
  outcome: z.enum(['clean', 'repaired', 'drift']),
  totals: z.array(
    z.object({
      currency: z.string(),
      stripeMinor: minor,
      ledgerMinor: minor,
      differenceMinor: minor,
      unpostedMinor: minor,
      differingMinor: minor,
      notAtStripeMinor: minor,
      otherMinor: minor,
      exchangeMinor: minor,
    }),
  ),
  findings: z.array(Finding.extend({ resolved: z.boolean() })),
})
export type ReconcileEnding = z.infer<typeof Ending>

/**
 * One run in the database: where it is, and what it has seen. Every write goes under the lease.
 * @throws AppError already_running from any write after the lease was lost
 */
export class ReconcileRun {
  readonly id: string
  readonly mode: ReconcileMode
  readonly since: Date
  readonly startedAt: string
  readonly resumed: boolean
  readonly counts: ReconcileCounts
  cursor: Cursor
  readonly #lease: Lease

  private constructor(started: z.infer<typeof Started>, mode: ReconcileMode, lease: Lease) {
    this.id = started.id
    this.mode = mode
    this.since = new Date(started.since)
    this.startedAt = started.startedAt
    this.resumed = started.resumed
    this.cursor = started.cursor
    this.counts = started.counts
    this.#lease = lease
  }

  /** Goes on with an unfinished run of the same kind, or begins one. */
  static async start(lease: Lease, mode: ReconcileMode, since: Date | null): Promise<ReconcileRun> {
    const started = await underLease('start_reconcile', {
      p_livemode: env().livemode,
      p_fencing: lease.fencing,
      p_mode: mode,
      p_since: since,
    })
    return new ReconcileRun(Started.parse(started), mode, lease)
  }

  /** Keep what Stripe said, and where to go on, in one transaction. */
  async note(objects: SeenObject[], cursor: Cursor = this.cursor): Promise<void> {
    await underLease('note_reconcile', {
      p_run: this.id,
      p_fencing: this.#lease.fencing,
      p_objects: { json: objects },
      p_cursor: { json: cursor },
      p_counts: { json: this.counts },
    })
    this.cursor = cursor
  }

  /** Rows of ours that no list of Stripe's has shown. */
  async due(limit: number): Promise<{ kind: ComparedKind; id: string }[]> {
    const due = await callService('reconcile_due', { p_run: this.id, p_limit: limit }, UNHURRIED)
    return z.array(z.object({ kind: ComparedKind, id: z.string() })).parse(due)
  }

  /** Of the next `scan` objects of a kind, the differences of the first `limit` that differ. `last`: where to go on. */
  async nextDrift(
    kind: ComparedKind,
    page: { after: string; scan: number; limit: number },
  ): Promise<{ differences: Difference[]; last: string | null }> {
    const asked = {
      p_run: this.id,
      p_object: kind,
      p_after: page.after,
      p_scan: page.scan,
      p_limit: page.limit,
    }
    const drift = await callService('reconcile_drift', asked, UNHURRIED)
    return z.object({ differences: z.array(Difference), last: z.string().nullable() }).parse(drift)
  }

  /** What differs of these objects now. */
  async driftOf(kind: ComparedKind, subjects: string[]): Promise<Difference[]> {
    const asked = { p_run: this.id, p_object: kind, p_subjects: { json: subjects } }
    const drift = await callService('reconcile_drift_of', asked, UNHURRIED)
    return z.array(Difference).parse(drift)
  }

  async noteFindings(differences: Difference[]): Promise<void> {
    const findings = differences.map(({ version: _, ...finding }) => finding)
    await underLease('note_findings', {
      p_run: this.id,
      p_fencing: this.#lease.fencing,
      p_findings: { json: findings },
    })
  }

  async finish(): Promise<ReconcileEnding> {
    const own = { p_run: this.id, p_fencing: this.#lease.fencing }
    const ending = await underLease('finish_reconcile', own, UNHURRIED)
    return Ending.parse(ending)
  }
}

async function underLease(...call: Parameters<typeof callService>): Promise<unknown> {
  try {
    return await callService(...call)
  } catch (error) {
    if (databaseCode(error) === '55000') throw new AppError('already_running', { cause: error })
    throw error
  }
}
