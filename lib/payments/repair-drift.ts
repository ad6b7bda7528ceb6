import 'server-only'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import type { Difference } from './reconcile-run'
import { refundsOfIntent } from './seen-objects'
import { SyncKind, syncObject } from './sync-object'

/**
 * Make our rows say what Stripe says, where that is safe: each repair goes through the one `sync` function or counts again
 * what can be counted. Differences that need a person are left. Answers how many repairs did not work out.
 */
export async function repairDrift(differences: Difference[]): Promise<number> {
  // Several differences of one object have one repair.
  const repairs = new Map<string, () => Promise<void>>()
  for (const difference of differences) {
    const repair = repairOf(difference)
    if (repair) repairs.set(repair.name, repair.run)
  }
  let failures = 0
  for (const [name, run] of repairs) {
    await run().catch((error: unknown) => {
      failures++
      log.warn('reconcile_repair_failed', { repair: name, ...errorFields(error) })
    })
  }
  return failures
}

function repairOf(difference: Difference): { name: string; run: () => Promise<void> } | null {
  const { object, subject, kind, version, detail } = difference
  if (kind === 'missing_there' || kind === 'orphan') return null
  if (kind === 'refund_sum') return { name: `refunds of ${subject}`, run: () => recountRefunds(subject) }
  if (object !== 'balance_transaction') return sync(object, subject, version)
  // The ledger is never changed: what it says otherwise than Stripe, or besides, is for a person.
  const source = SyncKind.safeParse(detail.source_kind)
  const isPosted = detail.here !== undefined
  return source.success && !isPosted ? sync(source.data, String(detail.source_id), 0) : null
}

function sync(kind: SyncKind, id: string, expectedVersion: number) {
  return { name: id, run: () => syncObject({ kind, id, expectedVersion, source: 'reconcile' }) }
}

async function recountRefunds(intentId: string): Promise<void> {
  for (const id of await refundsOfIntent(intentId)) {
    await syncObject({ kind: 'refund', id, expectedVersion: 0, source: 'reconcile' })
  }
  await callService('recount_refunds', { p_livemode: env().livemode, p_intent_id: intentId })
}
