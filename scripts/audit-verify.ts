// `npm run audit:verify [-- --head <count>:<hash>]`: seals the audit log and checks the whole chain, with the settings of
// `npm start`. Exit code 0 clean, 1 something was changed, 2 it could not be checked.
import { parseArgs } from 'node:util'
import { type Head, parseHead, publishedHead } from '../lib/audit/head.ts'
import { describeFinding, verifyAuditLog } from '../lib/audit/verify.ts'
import { closeDatabase } from '../lib/db/sql.ts'
import { onStopRequest } from './processes.ts'
import { givenSettings, namesProviders, preflight, sandboxSettings } from './settings.ts'

const MAX_LINES = 50

onStopRequest(() => process.exit(2))

try {
  process.exit(await verify())
} catch (error) {
  console.error(`The audit log could not be checked. ${error instanceof Error ? error.message : error}`)
  process.exit(2)
}

async function verify(): Promise<number> {
  const { values } = parseArgs({ options: { head: { type: 'string' } } })
  const given = givenSettings()
  // Nobody's page waits for this: Redis may take its time.
  const patient = { REDIS_TIMEOUT_MS: '5000', ...given }
  const settings = namesProviders(given) ? patient : { ...sandboxSettings(), ...patient }
  await preflight(settings)
  Object.assign(process.env, settings)

  const { head, source } = await headToCompare(values.head)
  const startedAt = performance.now()
  const { sealed, count, unsealed, findings } = await verifyAuditLog({ head })
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  await closeDatabase()

  console.log(`Checked ${count} sealed rows in ${seconds} s; ${sealed} of them were sealed just now.`)
  console.log(source)
  console.log(
    `${unsealed} rows are younger than the last seal: grants and triggers protect them, the chain does not yet.`,
  )
  for (const finding of findings.slice(0, MAX_LINES)) console.log(`  ${describeFinding(finding)}`)
  if (findings.length > MAX_LINES) console.log(`  … and ${findings.length - MAX_LINES} more.`)
  console.log(findings.length === 0 ? 'Nothing was changed.' : `The audit log is not intact.`)
  return findings.length === 0 ? 0 : 1
}

/** @throws Error when --head is there and is no head. */
async function headToCompare(text: string | undefined): Promise<{ head: Head | null; source: string }> {
  if (text !== undefined) {
    const head = parseHead(text)
    if (!head) throw new Error('--head must be <count>:<hash>, as the log line audit_head says it.')
    return { head, source: `Compared with the head given: ${head.count} rows.` }
  }
  const head = await publishedHead()
  const blind =
    'so a tail that was cut off would not show. Give a head from the logs with --head <count>:<hash>.'
  if (head === 'away')
    return { head: null, source: `Redis could not be asked for the published head, ${blind}` }
  if (head === null) return { head: null, source: `No head has been published yet, ${blind}` }
  return { head, source: `Compared with the head in Redis: ${head.count} rows.` }
}
