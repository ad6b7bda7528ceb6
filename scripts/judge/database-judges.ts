// Judges of the migrations: Supabase's own advisors and its linter of functions, asked without Docker.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { inTools, runQuietly, toolsFolder } from './tools.ts'
import { type Verdict, verdictOf } from './verdict.ts'

type Advice = { name: string; level: 'ERROR' | 'WARN' | 'INFO'; detail: string }

/**
 * Nobody has used anything yet in a fresh database: that an index was not used says nothing here. Other hints are shown
 * and count.
 */
const EMPTY_DATABASE = ['unused_index']

export async function judgeAdvisors(databaseUrl: string): Promise<Verdict> {
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

/** The linter is an extension of Postgres that the local one does not have; then this judge says so. */
export async function judgeFunctions(databaseUrl: string): Promise<Verdict> {
  const schemas = ['--schema', 'service,private,public', '--level', 'warning']
  const { code, stdout, stderr } = await supabase(['db', 'lint', `--remote=${databaseUrl}`, ...schemas])
  if (/plpgsql_check\\?" is not available/.test(stdout + stderr))
    return { outcome: 'not run', said: 'the local PostgreSQL has no plpgsql_check' }
  if (code !== 0) return verdictOf([(stdout + stderr).trim().slice(-2_000)], 'the linter could not be asked')
  const { results } = JSON.parse(stdout) as { results: Lint[] | null }
  const findings = (results ?? []).flatMap(({ function: name, issues }) =>
    issues.map(({ level, message }) => `${level} ${name}: ${message}`),
  )
  return verdictOf(findings, `${findings.length} findings`)
}

/** The program itself: the starter beside it is a script that looks for it. */
function supabase(args: string[]) {
  const folder = readdirSync(inTools('@supabase')).find((name) => name.startsWith('cli-'))
  const starter = inTools('supabase/package.json')
  if (folder === undefined) throw new Error(`There is no Supabase CLI for this platform beside ${starter}`)
  const settings = { SUPABASE_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
  return runQuietly(
    [path.join(inTools('.bin'), 'supabase'), ...args, '--output-format', 'json'],
    settings,
    toolsFolder,
  )
}
