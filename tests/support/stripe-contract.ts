import { afterAll } from 'vitest'
import {
  type ContractChecker,
  type ContractReport,
  loadContractChecker,
} from '../../sandbox/stripe/contract/checker.ts'

let checker: Promise<ContractChecker> | null = null

/**
 * For a local Stripe inside of the test process: pass it as `observer`. All of a file's servers share one, and the file fails when any
 * of them said something that the SDK's types do not allow.
 */
export function stripeContract(): Promise<ContractChecker> {
  if (checker) return checker
  checker = loadContractChecker()
  afterAll(async () => assertKept((await checker)?.report()))
  return checker
}

/** For a local Stripe in a process of its own, started with SANDBOX_STRIPE_CONTRACT=1. */
export async function assertContractKept(stripeUrl: string, localSecret: string): Promise<ContractReport> {
  const response = await fetch(`${stripeUrl}/_local/contract`, {
    headers: { authorization: `Bearer ${localSecret}` },
  })
  if (!response.ok) throw new Error(`The local Stripe does not tell of its contract (${response.status})`)
  const report = (await response.json()) as ContractReport
  assertKept(report)
  return report
}

export function assertKept(report: ContractReport | undefined): void {
  const violations = report?.violations ?? []
  if (violations.length === 0) return
  const lines = violations.map(
    ({ where, problems }) => `${where}\n${problems.map((p) => `    ${p}`).join('\n')}`,
  )
  throw new Error(
    `The local Stripe broke its contract (the types of the installed stripe package) in ${violations.length} way(s):\n${lines.join('\n')}`,
  )
}
