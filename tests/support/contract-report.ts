import type { ContractReport } from '../../sandbox/stripe/contract/checker.ts'

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
