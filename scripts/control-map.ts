// `npm run control-map`: writes docs/security/control-map.md, or says what keeps it from being true. With `--record` it first takes
// over how the tests went that were run here.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { CHAPTERS } from './control-map/chapters.ts'
import { problemsOf } from './control-map/problems.ts'
import { countLine, renderMap } from './control-map/render.ts'
import { readResults, recordResults } from './control-map/results.ts'
import { settle } from './control-map/settle.ts'
import { indexTests } from './control-map/tests-in-tree.ts'
import { root } from './processes.ts'

if (process.argv.includes('--record')) console.log(`${recordResults()} test files are on record.`)

const index = indexTests()
const results = readResults()
const chapters = CHAPTERS.map(({ title, rows }) => ({ title, rows: settle(rows, index, results) }))
const rows = chapters.flatMap((chapter) => chapter.rows)
const problems = problemsOf(rows, index, results)
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)

writeFileSync(path.join(root, 'docs', 'security', 'control-map.md'), renderMap(chapters, index, results))
console.log(countLine(rows))
process.exit()
