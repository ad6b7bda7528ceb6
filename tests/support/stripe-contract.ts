import { afterAll } from 'vitest'
import { type ContractChecker, loadContractChecker } from '../../sandbox/stripe/contract/checker.ts'
import { assertKept } from './contract-report.ts'

let checker: Promise<ContractChecker> | null = null

/**
 * For a local Stripe inside of the test process: pass it as `observer`. All of a file's servers share one, and the file fails when any
 * of them said something that the SDK's types do not allow.
 */
export function stripeContract(): Promise<ContractChecker> {
  if (checker) return checker
  checker = loadContractChecker()
  afterAll(async () => assertKept((await stripeContract()).report()))
  return checker
}
