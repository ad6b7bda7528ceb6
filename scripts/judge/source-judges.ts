// Judges of what is in the repository and of what the registry brings.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../processes.ts'
import { exportHistory, scanHistory, scanTree } from './secret-scan.ts'
import {
  installScriptProblems,
  lockfileProblems,
  looseVersions,
  readLockfile,
  readManifest,
} from './supply-chain.ts'
import { inTools, runQuietly, toolsFolder } from './tools.ts'
import { type Verdict, verdictOf } from './verdict.ts'
import { floorProblems } from './version-floors.ts'

const toolsSource = path.join(root, 'scripts', 'judge', 'tools')
export const reportFolder = path.join(root, 'judge-report')

/** Our own patterns, over the files as they are and over every version of them. */
export async function judgeSecrets(): Promise<Verdict> {
  const tree = scanTree()
  const history = await scanHistory()
  const findings = [...tree.found, ...history.found].map(({ place, name }) => `${place} ${name}`)
  return verdictOf(findings, `${findings.length} in ${tree.files} files and ${history.files} of the history`)
}

/** Secretlint's patterns, over the same. It has to find the bait beside them, else it has not searched. */
export async function judgeWithSecretlint(): Promise<Verdict> {
  const folder = mkdtempSync(path.join(tmpdir(), 'paywright-secretlint-'))
  try {
    const files = await exportHistory(folder)
    writeFileSync(path.join(folder, BAIT), ['sk', 'live', 'a1B2c3D4e5F6g7H8i9J0k1L2'].join('_'))
    const { stdout, stderr } = await runQuietly(
      [
        process.execPath,
        inTools('secretlint/bin/secretlint.js'),
        '--secretlintrc',
        path.join(toolsSource, 'secretlintrc.json'),
        '--maskSecrets',
        '--no-gitignore',
        '--format',
        'json',
        `${folder}/**/*`,
      ],
      {},
      toolsFolder,
    )
    const results = parseLint(stdout)
    const found = results.flatMap(({ filePath, messages }) =>
      messages.map(({ message, loc }) => `${path.basename(filePath)}:${loc.start.line} ${message}`),
    )
    const secrets = found.filter((line) => !line.startsWith(BAIT))
    if (secrets.length === found.length)
      return verdictOf([stderr.trim().slice(-2_000)], 'it did not find the bait')
    return verdictOf(secrets, `${secrets.length} in ${files} files`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const BAIT = 'bait.txt'

type Linted = { filePath: string; messages: { message: string; loc: { start: { line: number } } }[] }

function parseLint(text: string): Linted[] {
  try {
    return JSON.parse(text) as Linted[]
  } catch {
    return []
  }
}

export async function judgePackages(): Promise<Verdict> {
  const lockfile = readLockfile()
  const tools = readLockfile(toolsSource)
  const findings = [
    ...lockfileProblems(lockfile),
    ...lockfileProblems(tools),
    ...installScriptProblems(lockfile, readManifest()),
    ...looseVersions(readManifest()),
    ...looseVersions(readManifest(toolsSource)),
    ...floorProblems(lockfile),
  ]
  const count = Object.keys(lockfile.packages).length + Object.keys(tools.packages).length - 2
  return verdictOf(findings, `${count} packages with integrity, none loose, none below its floor`)
}

type Sbom = { components: { purl?: string; hashes?: object[]; licenses?: object[] }[] }

/** The list of everything that is built in, in CycloneDX. */
export async function judgeSbom(): Promise<Verdict> {
  mkdirSync(reportFolder, { recursive: true })
  const file = path.join(reportFolder, 'sbom.cdx.json')
  const { code, stderr } = await runQuietly([
    process.execPath,
    inTools('@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js'),
    '--package-lock-only',
    '--omit=dev',
    '--output-reproducible',
    '--output-file',
    file,
    path.join(root, 'package.json'),
  ])
  if (code !== 0) return verdictOf([stderr.trim().slice(-2_000)], 'it could not be built')
  const { components } = JSON.parse(readFileSync(file, 'utf8')) as Sbom
  const unnamed = components.filter(({ purl }) => !purl?.startsWith('pkg:npm/')).length
  const findings = unnamed > 0 ? [`${unnamed} components have no address`] : []
  if (components.length < 20) findings.push(`only ${components.length} components`)
  return verdictOf(findings, `${components.length} components in ${path.relative(root, file)}`)
}

/** Known vulnerabilities, as the registry knows them. Not every registry answers, and then nothing is known. */
export async function judgeAudit(): Promise<Verdict> {
  const { stdout } = await runQuietly(['npm', 'audit', '--json', '--audit-level=high'])
  const report = parseReport(stdout)
  if (report === null)
    return { outcome: 'not run', said: 'the registry does not answer audits; the public CI asks' }
  const { high, critical, moderate, low } = report
  const findings = high + critical > 0 ? ['`npm audit` names them'] : []
  return verdictOf(findings, `${critical} critical, ${high} high, ${moderate} moderate, ${low} low`)
}

type Counts = { critical: number; high: number; moderate: number; low: number }

/** The counts of an audit, or null when there was none: an error is not a clean bill. */
export function parseReport(text: string): Counts | null {
  try {
    return (JSON.parse(text) as { metadata?: { vulnerabilities?: Counts } }).metadata?.vulnerabilities ?? null
  } catch {
    return null
  }
}
