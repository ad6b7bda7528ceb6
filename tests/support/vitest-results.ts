import path from 'node:path'
import type { TestModule, Reporter as VitestReporter } from 'vitest/node'
import { leaveResults } from '../../scripts/control-map/results.ts'
import { root } from '../../scripts/processes.ts'

/** Leaves behind how each file went, for the control map. A file of which only a part was run says nothing. */
export default class VitestResults implements VitestReporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const whole = modules.filter(({ children }) => [...children.allTests('skipped')].length === 0)
    const counts = whole.map(({ moduleId, children }) => [
      path.relative(root, moduleId),
      { passed: [...children.allTests('passed')].length, failed: [...children.allTests('failed')].length },
    ])
    leaveResults(Object.fromEntries(counts))
  }
}
