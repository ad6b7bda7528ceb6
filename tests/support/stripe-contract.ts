import type { ContractChecker, ContractReport } from '../../sandbox/stripe/contract/checker.ts'
import { assertKept } from './contract-report'

let checker: Promise<ContractChecker> | null = null

/**
 * For a local Stripe inside of the test process: pass it as `observer`. All servers of a process share one, because it takes seconds
 * until it knows the SDK's types.
 */
export function stripeContract(): Promise<ContractChecker> {
  checker ??= import('../../sandbox/stripe/contract/checker.ts').then(({ loadContractChecker }) =>
    loadContractChecker(),
  )
  return checker
}

/**
 * Null: there was no local Stripe in this process.
 * @throws Error when one has said something since the last time that the SDK's types do not allow.
 */
export async function assertContractKeptSoFar(): Promise<ContractReport | null> {
  if (!checker) return null
  const report = (await checker).takeReport()
  assertKept(report)
  return report
}
