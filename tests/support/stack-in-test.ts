import type { StackFacts } from './stack'

const VARIABLE = 'PAYWRIGHT_TEST_STACKS'

/** Hand the running stacks to the processes that run the tests; they inherit the environment. */
export function shareStacks(stacks: readonly StackFacts[]): void {
  process.env[VARIABLE] = JSON.stringify(stacks)
}

/** The stack that all tests of a lane share: files that run side by side never meet in one. */
export function stack(): StackFacts {
  const shared = JSON.parse(process.env[VARIABLE] ?? '[]') as StackFacts[]
  const found = shared[lane() % shared.length]
  if (!found) throw new Error('no stack is running: these tests are started by a runner that starts one')
  return found
}

/** Both runners number the places in which files run side by side: Vitest from 1, Playwright from 0. */
function lane(): number {
  return process.env.VITEST_POOL_ID
    ? Number(process.env.VITEST_POOL_ID) - 1
    : Number(process.env.TEST_PARALLEL_INDEX ?? 0)
}
