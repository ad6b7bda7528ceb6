import postgres from 'postgres'
import { withProviders } from './side-by-side.ts'

const SMALL = 10_000
const LARGE = 100_000
/** As lib/payments/reconcile.ts asks for them. */
const SCANNED_AT_ONCE = 500
const DIFFERING = 200

/** A run over many payments beside one over ten times as many: the time for each payment should be the same. */
export async function reconcile(): Promise<string[]> {
  return await withProviders(['postgres'], async ({ adminDatabaseUrl, env }) => {
    const admin = postgres(adminDatabaseUrl, { max: 1, onnotice: () => {} })
    const service = postgres(env.DATABASE_URL ?? '', { max: 1, prepare: false, onnotice: () => {} })
    try {
      const small = await timesOf(admin, service, SMALL)
      const large = await timesOf(admin, service, LARGE)
      return [
        `${''.padEnd(26)} ${`${SMALL} payments`.padStart(16)}   ${`${LARGE} payments`.padStart(16)}`,
        ...Object.keys(small).map((step) => line(step, small[step] ?? 0, large[step] ?? 0)),
      ]
    } finally {
      await admin.end()
      await service.end()
    }
  })
}

function line(step: string, small: number, large: number): string {
  const perPayment = (ms: number, payments: number) => `${((ms * 1000) / payments).toFixed(0)} µs each`
  const ratio = large / LARGE / (small / SMALL)
  return `${step.padEnd(26)} ${perPayment(small, SMALL).padStart(16)}   ${perPayment(large, LARGE).padStart(16)}   ratio ${ratio.toFixed(2)}`
}

/** Milliseconds for each step of a run that has listed so many payments, each with its balance transaction, and none of them here. */
async function timesOf(
  admin: postgres.Sql,
  service: postgres.Sql,
  payments: number,
): Promise<Record<string, number>> {
  const [{ lease } = { lease: null }] =
    await service`select service.take_lease('reconcile_test', 3600) as lease`
  const since = new Date()
  const [{ run } = { run: null }] =
    await service`select service.start_reconcile(false, ${lease.fencing}, 'dry_run', ${since}) as run`
  await admin`
    insert into private.reconcile_objects (livemode, object_id, kind, run_id, gone, status, amount_minor, received_minor, refunded_minor,
      currency, source_kind, source_id)
    select false, k.prefix || ${payments}::text || '_' || lpad(n::text, 8, '0'), k.kind, ${run.id}, false, 'succeeded', 1000, 1000, 0, 'eur',
      k.source, k.source || n
    from generate_series(1, ${payments}) n
    cross join (values ('pi_', 'payment_intent', null), ('txn_', 'balance_transaction', 'payment_intent')) k (prefix, kind, source)`

  const times = {
    'comparing payments': await measured(() => compareAll(service, run.id, 'payment_intent')),
    'comparing their postings': await measured(() => compareAll(service, run.id, 'balance_transaction')),
    'adding up and finishing': await measured(
      () => service`select service.finish_reconcile(${run.id}, ${lease.fencing})`,
    ),
  }
  await service`select service.release_lease('reconcile_test', ${lease.token})`
  return times
}

async function compareAll(service: postgres.Sql, run: string, kind: string): Promise<void> {
  let after: string | null = ''
  while (after !== null) {
    const [row]: postgres.Row[] =
      await service`select service.reconcile_drift(${run}, ${kind}, ${after}, ${SCANNED_AT_ONCE}, ${DIFFERING}) as page`
    after = row?.page.last ?? null
  }
}

async function measured(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}
