import { assertClean } from './log-lines'
import { startStack } from './stack'
import { shareStack } from './stack-in-test'

/** One stack for all integration tests: two servers, one database. All they wrote during the run is looked at in the end. */
export default async function setup(): Promise<() => Promise<void>> {
  const { logs, stop, ...facts } = await startStack()
  const { restartServer: _restartServer, ...shared } = facts
  shareStack(shared)
  return async () => {
    await stop()
    assertClean(logs().split('\n'))
  }
}
