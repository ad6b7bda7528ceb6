import type { StackFacts } from './stack'

const VARIABLE = 'PAYWRIGHT_TEST_STACK'

/** Hand the running stack to the processes that run the tests; they inherit the environment. */
export function shareStack(facts: StackFacts): void {
  process.env[VARIABLE] = JSON.stringify(facts)
}

/** The stack that all tests of a run share. */
export function stack(): StackFacts {
  const shared = process.env[VARIABLE]
  if (!shared) throw new Error('no stack is running: these tests are started by a runner that starts one')
  return JSON.parse(shared) as StackFacts
}
