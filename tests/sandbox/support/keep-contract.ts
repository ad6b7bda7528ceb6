import { loadContract } from '../../../sandbox/stripe/contract/load.ts'

/**
 * After an install nobody has read the contract out of the SDK yet. Each process of the tests would do so, all at the same time and
 * within the time of its first test: seconds of every core.
 */
export default async function setup(): Promise<void> {
  await loadContract()
}
