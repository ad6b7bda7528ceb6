import type { Result, Results } from './results.ts'
import type { Row, Status } from './row.ts'
import { filesOf, type TestIndex } from './tests-in-tree.ts'

export type Chapter = { title: string; rows: readonly Row[] }

const HEAD = `# Control map

Each demand that Paywright is held to, what meets it, and the tests that would notice its loss. Written by \`npm run control-map\`
from [\`scripts/control-map\`](../../scripts/control-map); it fails on a blank, on a file or test that is not there, and on a test
that failed when it was last recorded. After a whole \`npm test\`, \`npm run control-map -- --record\` takes over how it went; what is
in work becomes done when its tests are on record. "Done" is never said of what no test would notice. Ids such as W10 stand in the titles of the
tests. The requirements of ASVS are told in our own words; the standard's own are at
[owasp.org](https://owasp.org/www-project-application-security-verification-standard/).
`

/** The whole map as Markdown. */
export function renderMap(chapters: readonly Chapter[], index: TestIndex, results: Results): string {
  const all = chapters.flatMap(({ rows }) => rows)
  const parts = chapters.map(({ title, rows }) =>
    [
      `## ${title}`,
      '',
      countLine(rows),
      '',
      '| id | demand | status | control | tests | last result |',
      '|---|---|---|---|---|---|',
      ...rows.map((row) => line(row, index, results)),
      '',
    ].join('\n'),
  )
  return [HEAD, countLine(all), '', ...parts].join('\n')
}

export function countLine(rows: readonly Row[]): string {
  const count = (status: Status) => rows.filter((row) => row.status === status).length
  return `${rows.length} rows: ${count('done')} done, ${count('planned')} planned, ${count('not applicable')} not applicable.`
}

function line(row: Row, index: TestIndex, results: Results): string {
  const { id, demand, status, controls, tests, reason } = row
  // Files that are on record, so that a new test of something does not make the map stale at once.
  const files = [...new Set(tests.flatMap((reference) => filesOf(reference, index)))].filter(
    (file) => results[file],
  )
  const control = [reason, controls.map((file) => `\`${file}\``).join(', ')].filter(Boolean).join(' ')
  const result = tests.length === 0 ? '' : lastResult(files, results)
  const cells = [id, demand, status, control, testCell(tests, files), result]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function testCell(tests: readonly string[], files: readonly string[]): string {
  const said = tests.map((reference) => reference.replace(/^(.*) › (.*)$/, '“$2” (`$1`)'))
  const names = files.map((file) => `\`${file.replace(/^tests\//, '').replace(/\.(?:test|spec)\.ts$/, '')}\``)
  return [said.join(', '), names.length > 0 ? `in ${names.join(', ')}` : ''].filter(Boolean).join(' ')
}

/** The oldest of the files' results: a row is as fresh as its stalest test. */
function lastResult(files: readonly string[], results: Results): string {
  const known = files.map((file) => results[file]).filter((result): result is Result => result !== undefined)
  const [oldest] = known.map(({ date }) => date).toSorted()
  if (oldest === undefined) return 'not recorded'
  const failed = known.reduce((sum, result) => sum + result.failed, 0)
  return failed > 0 ? 'failed' : `passed ${oldest}`
}
