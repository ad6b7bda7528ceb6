import type { FullConfig } from '@playwright/test'
import { startLanes } from './lanes'

/** A stack for each lane, with one server: what two servers do is tested without a browser. */
export default async function setup({ workers }: FullConfig): Promise<() => Promise<void>> {
  const lanes = await startLanes(workers, { servers: 1 })
  return async () => {
    await lanes.stop()
  }
}
