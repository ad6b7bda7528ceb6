import { mkdirSync, writeFileSync } from 'node:fs'
import { startStack } from './stack'
import { shareStack } from './stack-in-test'

/** One production server for all browser tests. Its log is kept beside Playwright's traces. */
export default async function setup(): Promise<() => Promise<void>> {
  const { logs, restartServer: _restart, stop, ...facts } = await startStack({ servers: 1 })
  shareStack(facts)
  return async () => {
    await stop()
    mkdirSync('test-results', { recursive: true })
    writeFileSync('test-results/server.log', logs())
  }
}
