// `npm run control-map`: writes docs/security/control-map.md, or says what keeps it from being true. With `--record` it first takes
// over how the tests went that were run here.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { CHAPTERS } from './control-map/chapters.ts'
import { problemsOf, ripe } from './control-map/problems.ts'
import { countLine, renderMap } from './control-map/render.ts'
import { readResults, recordResults } from './control-map/results.ts'
import { indexTests } from './control-map/tests-in-tree.ts'
import { root } from './processes.ts'

if (process.argv.includes('--record')) console.log(`${recordResults()} test files are on record.`)

const rows = CHAPTERS.flatMap((chapter) => chapter.rows)
const index = indexTests()
const problems = problemsOf(rows, index, readResults())
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)

writeFileSync(
  path.join(root, 'docs', 'security', 'control-map.md'),
  renderMap(CHAPTERS, index, readResults()),
)
console.log(countLine(rows))
for (const hint of ripe(rows, index)) console.log(hint)
process.exit()
