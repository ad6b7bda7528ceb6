import { startStack } from './stack'
import { shareStack } from './stack-in-test'

/** One stack for all journeys, with one server: what two servers do is tested without a browser. */
export default async function setup(): Promise<() => Promise<void>> {
  const { logs: _logs, stop, ...facts } = await startStack({ servers: 1 })
  shareStack(facts)
  return stop
}
