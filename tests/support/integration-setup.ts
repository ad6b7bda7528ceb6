import type { TestProject } from 'vitest/node'
import { startLanes } from './lanes'
import { assertClean } from './log-lines'

/** A stack for each lane of the integration tests: two servers, one database. All they wrote is looked at in the end. */
export default async function setup({ config }: TestProject): Promise<() => Promise<void>> {
  const lanes = await startLanes(config.maxWorkers, { servers: 2 })
  return async () => {
    for (const { logs } of await lanes.stop()) assertClean(logs().split('\n'))
  }
}
