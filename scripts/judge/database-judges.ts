// Judges of the migrations: Supabase's own advisors and its linter of functions, asked without Docker.
import { existsSync } from 'node:fs'
import { withCheckingPostgres } from './checking-postgres.ts'
import { inTools, runQuietly, toolsFolder } from './tools.ts'
import { type Verdict, verdictOf } from './verdict.ts'

type Advice = { name: string; level: 'ERROR' | 'WARN' | 'INFO'; detail: string }

/**
 * Nobody has used anything yet in a fresh database: that an index was not used says nothing here. Other hints are shown
 * and count.
 */
const EMPTY_DATABASE = ['unused_index']

export async function judgeAdvisors(databaseUrl: string): Promise<Verdict> {
  if (!existsSync(CLI)) return NO_CLI
  const { code, stdout, stderr } = await supabase([
    'db',
    'advisors',
    `--remote=${databaseUrl}`,
    '--level',
    'info',
  ])
  if (code !== 0) return verdictOf([stderr.trim().slice(-2_000)], 'the advisors could not be asked')
  const { results } = JSON.parse(stdout) as { results: Advice[] }
  const count = (level: Advice['level']) => results.filter((advice) => advice.level === level).length
  const findings = results
    .filter(({ name }) => !EMPTY_DATABASE.includes(name))
    .map(({ level, name, detail }) => `${level} ${name}: ${detail}`)
  return verdictOf(findings, `${count('ERROR')} errors, ${count('WARN')} warnings, ${findings.length} in all`)
}

type Lint = { function: string; issues: { level: string; message: string; sqlState?: string }[] }

/** What the linter remarks and is meant so. */
const MEANT = new Map([
  [
    'private.lock_payment_of_intent: composite OUT variable "payment" is not single argument',
    'it answers the row and whether it is new; its caller takes both by name',
  ],
])

/** Each function of ours, checked statement by statement against the tables there are. */
export async function judgeFunctions(): Promise<Verdict> {
  if (!existsSync(CLI)) return NO_CLI
  const verdict = await withCheckingPostgres(async (databaseUrl) => {
    const what = ['--schema', 'service,private,public', '--level', 'warning']
    const { code, stdout, stderr } = await supabase(['db', 'lint', `--remote=${databaseUrl}`, ...what])
    if (code !== 0)
      return verdictOf([(stdout + stderr).trim().slice(-2_000)], 'the linter could not be asked')
    const { results } = JSON.parse(stdout) as { results: Lint[] | null }
    const findings = (results ?? []).flatMap(({ function: name, issues }) =>
      issues.map(({ message }) => `${name}: ${message}`),
    )
    const unmeant = findings.filter((finding) => !MEANT.has(finding))
    return verdictOf(unmeant, `${unmeant.length} findings by plpgsql_check`)
  })
  return (
    verdict ?? {
      outcome: 'not run',
      said: 'needs a PostgreSQL with plpgsql_check (Debian: postgresql-15-plpgsql-check)',
    }
  )
}

/** Supabase's own program. The package around it brings eight of them, and here only one can be pinned to its contents. */
const CLI = inTools('@supabase/cli-linux-x64/bin/supabase')
const NO_CLI: Verdict = { outcome: 'not run', said: "Supabase's program is pinned for Linux on x64 only" }

function supabase(args: string[]) {
  const settings = { SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
  return runQuietly(
    // A folder of its own: it keeps notes wherever it finds a project.
    [CLI, ...args, '--output-format', 'json', '--workdir', toolsFolder],
    settings,
    toolsFolder,
  )
}
