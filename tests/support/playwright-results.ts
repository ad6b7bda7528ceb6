import path from 'node:path'
import type { Reporter, TestCase, TestResult } from '@playwright/test/reporter'
import { leaveResults } from '../../scripts/control-map/results.ts'
import { root } from '../../scripts/processes.ts'

/** Leaves behind how each file of journeys went, for the control map. With a filter it says nothing. */
export default class PlaywrightResults implements Reporter {
  readonly #counts: Record<string, { passed: number; failed: number }> = {}

  onTestEnd(test: TestCase, result: TestResult): void {
    const file = path.relative(root, test.location.file)
    const count = this.#counts[file] ?? { passed: 0, failed: 0 }
    if (result.status === 'passed') count.passed++
    else count.failed++
    this.#counts[file] = count
  }

  onEnd(): void {
    const isFiltered = process.argv.some((argument) => /^(?:-g|--grep)/.test(argument))
    if (!isFiltered) leaveResults(this.#counts)
  }
}
