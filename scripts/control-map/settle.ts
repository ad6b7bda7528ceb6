import type { Results } from './results.ts'
import type { Row } from './row.ts'
import type { TestIndex } from './tests-in-tree.ts'

/** A running product has to show it: a unit test of a part of it is not enough. */
const SHOWS = /^tests\/(?:integration|e2e)\//

/** Rows that waited for tests are done once each of their ids has one that passed and is on record. */
export function settle(rows: readonly Row[], index: TestIndex, results: Results): Row[] {
  return rows.map((row) => {
    if (row.awaits === undefined) return row
    const isShown = row.awaits.every((id) =>
      (index.withId.get(id) ?? []).some((file) => SHOWS.test(file) && results[file]?.failed === 0),
    )
    const { reason: _reason, ...rest } = row
    return isShown ? { ...rest, status: 'done', tests: row.awaits } : row
  })
}
