import type { Reporter, TestModule } from 'vitest/node'
import { rowCoverage, rowIds, summary } from '../../scripts/stripe-rows.ts'

/** Fewer rows than this: somebody runs a file or two and wants no list of all that is missing. */
const WHOLE_RUN_ROWS = 50

/** After a run with the tests of the local Stripe: which rows of its list have a test that passed. */
export default class StripeRowsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const passed = modules.flatMap(({ children }) => [...children.allTests('passed')]).map(({ name }) => name)
    if (new Set(passed.flatMap(rowIds)).size < WHOLE_RUN_ROWS) return
    console.log(`\n${summary(rowCoverage(passed))}\n${contractSummary(modules)}\n`)
  }
}

/** A file that said something else is red by itself; this tells how much was looked at. */
function contractSummary(modules: readonly TestModule[]): string {
  const checked = modules.flatMap((module) => module.meta().contract ?? [])
  const sum = (kind: 'responses' | 'errors' | 'events') =>
    checked.reduce((total, counts) => total + counts[kind], 0)
  return `Held against the SDK's types in ${checked.length} files: ${sum('responses')} answers, ${sum('errors')} errors, ${sum('events')} events`
}
