import { afterAll, beforeAll } from 'vitest'
import { adminSql } from './db'
import { startStack } from './stack'
import { shareStacks, stack } from './stack-in-test'

/**
 * A stack for this file alone, for tests that look at all there is: what others have left is not in it. While the file
 * runs, `stack()` is that one. Its local Stripe lists all it has again and again, and is not held against the contract.
 */
export function inOwnStack(): void {
  const shared = stack()
  let stop: (() => Promise<void>) | undefined
  beforeAll(async () => {
    const {
      logs: _logs,
      restartServer: _restart,
      stop: stopIt,
      ...facts
    } = await startStack({
      stripeContract: false,
    })
    stop = stopIt
    shareStacks([facts])
  }, 240_000)
  afterAll(async () => {
    shareStacks([shared])
    await adminSql().end({ timeout: 5 })
    await stop?.()
  }, 180_000)
}
