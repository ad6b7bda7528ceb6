import type { StackFacts } from './stack'

const VARIABLE = 'PAYWRIGHT_TEST_STACK'

/** Hand the stack to the processes that run the tests; they are started after this. */
export function shareStack(facts: StackFacts): void {
  process.env[VARIABLE] = JSON.stringify(facts)
}

/** The stack that all tests of a run share, in Vitest and in Playwright alike. */
export function stack(): StackFacts {
  const shared = process.env[VARIABLE]
  if (shared === undefined) throw new Error('No stack is running: start the tests with npm test')
  return JSON.parse(shared) as StackFacts
}
