import { startStack } from './stack'
import { shareStack } from './stack-in-test'

/** One stack for all integration tests: two servers, one database. */
export default async function setup(): Promise<() => Promise<void>> {
  const { logs: _logs, stop, ...facts } = await startStack()
  shareStack(facts)
  return stop
}
