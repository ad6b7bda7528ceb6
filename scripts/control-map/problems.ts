import { existsSync } from 'node:fs'
import path from 'node:path'
import { root } from '../processes.ts'
import type { Results } from './results.ts'
import type { Row } from './row.ts'
import { filesOf, type TestIndex } from './tests-in-tree.ts'

/** What keeps the map from being true: blanks, files that are not there, tests that are not there or did not pass. */
export function problemsOf(rows: readonly Row[], index: TestIndex, results: Results): string[] {
  const seen = new Set<string>()
  return rows.flatMap((row) => {
    const problems = [...blanks(row), ...danglingControls(row), ...danglingTests(row, index, results)]
    if (seen.has(row.id)) problems.push('is there twice')
    seen.add(row.id)
    return problems.map((problem) => `${row.id} ${problem}`)
  })
}

function blanks({ demand, status, controls, tests, reason }: Row): string[] {
  const problems = demand.trim() === '' ? ['says nothing'] : []
  if (status === 'done' && controls.length === 0) problems.push('is done by no file')
  if (status === 'done' && tests.length === 0) problems.push('is done and no test would notice its loss')
  if (status !== 'done' && !reason?.trim()) problems.push(`is ${status} for no reason`)
  return problems
}

function danglingControls({ controls }: Row): string[] {
  return controls
    .filter((file) => !existsSync(path.join(root, file)))
    .map((file) => `names ${file}, which is not there`)
}

function danglingTests({ tests }: Row, index: TestIndex, results: Results): string[] {
  return tests.flatMap((reference) => {
    const files = filesOf(reference, index)
    if (files.length === 0) return [`names the test "${reference}", which is not there`]
    return files
      .filter((file) => (results[file]?.failed ?? 0) > 0)
      .map((file) => `rests on ${file}, which failed when it was last recorded`)
  })
}
