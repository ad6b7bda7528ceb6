import { type Stack, startStack } from './stack'
import { shareStacks } from './stack-in-test'

export type Lanes = {
  /** @throws the first reason for which a stack was not as it should be in the end, when all have stopped. */
  stop(): Promise<Stack[]>
}

/** Tests mostly wait. Files run side by side in lanes, each with a stack of its own that some of them hold to its limits. */
export async function startLanes(count: number, options: { servers: number }): Promise<Lanes> {
  const started = await Promise.allSettled(Array.from({ length: count }, () => startStack(options)))
  const stacks = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const stop = async () => {
    const ends = await Promise.allSettled(stacks.map((stack) => stack.stop()))
    throwFirst(ends)
    return stacks
  }
  if (stacks.length < count) {
    await stop()
    throwFirst(started)
  }
  shareStacks(stacks.map(({ logs: _logs, stop: _stop, restartServer: _restart, ...facts }) => facts))
  return { stop }
}

function throwFirst(outcomes: readonly PromiseSettledResult<unknown>[]): void {
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}
