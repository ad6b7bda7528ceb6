// How each test file went when it was last run. A run leaves what it saw in node_modules/.cache; `npm run control-map -- --record`
// takes that over into the repository.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../processes.ts'

export type Result = { date: string; passed: number; failed: number }
/** By file: `tests/unit/env.test.ts`. */
export type Results = Record<string, Result>

const left = path.join(root, 'node_modules', '.cache', 'paywright', 'test-results.json')
const kept = path.join(root, 'docs', 'security', 'last-results.json')

export const readResults = () => read(kept)

/** Called by reporters at the end of a run. */
export function leaveResults(counts: Record<string, { passed: number; failed: number }>): void {
  const date = new Date().toISOString().slice(0, 10)
  const dated = Object.entries(counts).map(([file, count]) => [file, { date, ...count }])
  write(left, { ...read(left), ...Object.fromEntries(dated) })
}

/** Answers how many files are on record now. Files that are gone are forgotten. */
export function recordResults(): number {
  const all = Object.entries({ ...read(kept), ...read(left) })
  const there = all.filter(([file]) => existsSync(path.join(root, file)))
  write(kept, Object.fromEntries(there.toSorted(([one], [other]) => (one < other ? -1 : 1))))
  return there.length
}

function read(file: string): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {}
}

function write(file: string, results: Results): void {
  mkdirSync(path.dirname(file), { recursive: true })
  const lines = Object.entries(results).map(([name, { date, passed, failed }]) => {
    const value = `{ "date": "${date}", "passed": ${passed}, "failed": ${failed} }`
    return `  ${JSON.stringify(name)}: ${value}`
  })
  writeFileSync(file, `{\n${lines.join(',\n')}\n}\n`)
}
