// `npm run reconcile -- --dry-run|--repair [--since 2026-11-01] [--json]`: compare what we have with what Stripe has.
// Ends with 0 when all is well or was repaired, 1 when something is left that differs, 2 when it could not run to its end.
import { parseArgs } from 'node:util'
import type { ReconcileReport } from '../lib/payments/reconcile.ts'
import { onStopRequest } from './processes.ts'
import { reportLines } from './reconcile-report.ts'
import { givenSettings, namesProviders, preflight, sandboxSettings } from './settings.ts'

const USAGE = 'npm run reconcile -- --dry-run|--repair [--since 2026-11-01] [--json]'

const stop = new AbortController()
onStopRequest(() => stop.abort())

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
process.exit()

async function main(): Promise<number> {
  const asked = readArguments()
  const given = givenSettings()
  const settings = namesProviders(given) ? given : { ...sandboxSettings(), ...given }
  // Stdout is for the report. Warnings go to stderr.
  const ours = { ...settings, NODE_ENV: 'production', LOG_LEVEL: given.LOG_LEVEL ?? 'warn' }
  await preflight(ours)
  Object.assign(process.env, ours)

  const { reconcile } = await import('../lib/payments/reconcile.ts')
  const { closeDatabase } = await import('../lib/db/sql.ts')
  const report = await reconcile({ ...asked, stop: stop.signal }).finally(closeDatabase)
  const lines = asked.json ? [JSON.stringify(report, null, 2)] : reportLines(report)
  await new Promise((resolve) => process.stdout.write(`${lines.join('\n')}\n`, resolve))
  return exitCodeOf(report)
}

function exitCodeOf({ ending }: ReconcileReport): number {
  if (!ending) return 2
  return ending.outcome === 'drift' ? 1 : 0
}

/** @throws Error with the usage for anything that is not understood */
function readArguments(): { mode: 'dry_run' | 'repair'; since: Date | null; json: boolean } {
  const { values } = parseArgs({
    options: {
      'dry-run': { type: 'boolean', default: false },
      repair: { type: 'boolean', default: false },
      since: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  if (values['dry-run'] === values.repair) throw new Error(`Say --dry-run or --repair.\n  ${USAGE}`)
  const since = values.since === undefined ? null : new Date(values.since)
  if (since && Number.isNaN(since.getTime())) throw new Error(`--since is no date.\n  ${USAGE}`)
  return { mode: values.repair ? 'repair' : 'dry_run', since, json: values.json }
}
