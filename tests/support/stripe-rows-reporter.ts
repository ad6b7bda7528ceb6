import type { Reporter, TestModule } from 'vitest/node'
import { ROWS } from '../../sandbox/stripe/contract/rows.ts'
import { rowCoverage, summary } from '../../scripts/stripe-rows.ts'

/** Fewer rows than this: somebody runs a file or two and wants no list of all that is missing. */
const WORTH_TELLING = 50

/** As many as this: it was meant to be all, and what is missing has lost its test. */
const MEANT_TO_BE_ALL = 0.9 * ROWS.length

/** After a run with the tests of the local Stripe: which rows of its list have a test that passed. A whole run with a gap is red. */
export default class StripeRowsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const passed = modules.flatMap(({ children }) => [...children.allTests('passed')]).map(({ name }) => name)
    const coverage = rowCoverage(passed)
    const { covered, missing, unknownIds } = coverage
    if (covered.length < WORTH_TELLING) return
    console.log(`\n${summary(coverage)}\n${contractSummary(modules)}\n`)
    if (covered.length >= MEANT_TO_BE_ALL && missing.length + unknownIds.length > 0) process.exitCode = 1
  }
}

/** A file that said something else is red by itself; this tells how much was looked at. */
function contractSummary(modules: readonly TestModule[]): string {
  const checked = modules.flatMap((module) => module.meta().contract ?? [])
  const sum = (kind: 'responses' | 'errors' | 'events') =>
    checked.reduce((total, counts) => total + counts[kind], 0)
  return `Held against the SDK's types in ${checked.length} files: ${sum('responses')} answers, ${sum('errors')} errors, ${sum('events')} events`
}
