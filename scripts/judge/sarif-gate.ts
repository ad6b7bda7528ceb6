// `node scripts/judge/sarif-gate.ts FOLDER`: fails when a report of a code analyser (SARIF) holds a finding that is high or
// worse. A folder without a report fails too: an analysis that did not run has found nothing out.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** CVSS: 7.0 and more is high. */
const HIGH = 7

type Rule = { id: string; properties?: { 'security-severity'?: string } }
type Result = { ruleId?: string; level?: string; locations?: { physicalLocation?: Place }[] }
type Place = { artifactLocation?: { uri?: string }; region?: { startLine?: number } }
type Run = { tool: { driver: { rules?: Rule[] }; extensions?: { rules?: Rule[] }[] }; results?: Result[] }
export type Sarif = { runs: Run[] }

/** Each finding that is high or worse: its rule and where. One without a severity counts when it is an error. */
export function highFindings({ runs }: Sarif): string[] {
  return runs.flatMap(({ tool, results = [] }) => {
    const rules = [tool.driver, ...(tool.extensions ?? [])].flatMap((part) => part.rules ?? [])
    const severities = new Map(rules.map(({ id, properties }) => [id, properties?.['security-severity']]))
    return results
      .filter(({ ruleId = '', level }) => {
        const severity = severities.get(ruleId)
        return severity === undefined ? level === 'error' : Number(severity) >= HIGH
      })
      .map(({ ruleId, locations }) => `${ruleId} ${place(locations?.[0]?.physicalLocation)}`)
  })
}

const place = (where: Place | undefined) => `${where?.artifactLocation?.uri}:${where?.region?.startLine}`

if (import.meta.main) {
  const folder = process.argv[2] ?? '.'
  const reports = readdirSync(folder).filter((name) => name.endsWith('.sarif'))
  const found = reports.flatMap((name) =>
    highFindings(JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Sarif),
  )
  for (const line of found) console.error(line)
  console.log(`${reports.length} reports, ${found.length} findings that are high or worse`)
  process.exitCode = reports.length > 0 && found.length === 0 ? 0 : 1
}
