// Which behaviours of Stripe are proved: runs the tests of the local Stripe and sorts their names by row.
// `node scripts/stripe-rows.ts [test files]`; the same summary comes after every run that has the reporter.
import { type Evidence, ROWS, type Row } from '../sandbox/stripe/contract/rows.ts'
import { run, tool } from './processes.ts'

const REPORTER = './tests/support/stripe-rows-reporter.ts'
const TESTS = ['tests/sandbox/stripe/', 'tests/sandbox/stripe-browser/']
const ALL_EVIDENCE: readonly Evidence[] = ['RUN', 'SDK', 'DOC', 'OBS', '2ND', 'INF']

export type Coverage = { covered: Row[]; missing: Row[]; unknownIds: string[] }

/** `testNames` are those of tests that passed. A name begins with its row, or with several: `stripe.C2 stripe.R12 a decline …`. */
export function rowCoverage(testNames: readonly string[]): Coverage {
  const named = new Set(testNames.flatMap(rowIds))
  const known = new Set(ROWS.map(({ id }) => id))
  return {
    covered: ROWS.filter(({ id }) => named.has(id)),
    missing: ROWS.filter(({ id }) => !named.has(id)),
    unknownIds: [...named].filter((id) => !known.has(id)),
  }
}

export function rowIds(testName: string): string[] {
  const [ids = ''] = /^(?:stripe\.[A-Z]\d+[\s,:]*)+/.exec(testName) ?? []
  return [...ids.matchAll(/stripe\.([A-Z]\d+)/g)].map(([, id = '']) => id)
}

export function summary({ covered, missing, unknownIds }: Coverage): string {
  const count = (rows: Row[], tag: Evidence) => rows.filter(({ evidence }) => evidence.includes(tag)).length
  const byEvidence = ALL_EVIDENCE.map((tag) => {
    const proved = count(covered, tag)
    return `${tag} ${proved}/${proved + count(missing, tag)}`
  })
  return [
    `Behaviours of Stripe proved: ${covered.length} of ${ROWS.length} (by evidence: ${byEvidence.join(' · ')})`,
    ...(missing.length > 0 ? ['Not proved by these tests:'] : []),
    ...missing.map(({ id, behaviour }) => `  ${id.padEnd(4)}${behaviour}`),
    ...(unknownIds.length > 0 ? [`Named by tests and not in the list: ${unknownIds.join(', ')}`] : []),
  ].join('\n')
}

if (import.meta.main) {
  const asked = process.argv.slice(2)
  const files = asked.length > 0 ? asked : TESTS
  const vitest = [
    ...tool('vitest'),
    'run',
    '--project',
    'sandbox',
    '--reporter',
    'dot',
    '--reporter',
    REPORTER,
  ]
  process.exit(await run([...vitest, ...files]))
}
