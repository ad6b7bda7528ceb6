import { afterAll } from 'vitest'
import type { ContractReport } from '../../../sandbox/stripe/contract/checker.ts'
import { assertContractKeptSoFar } from '../../support/stripe-contract'
import { endFile } from './after-file.ts'

declare module 'vitest' {
  interface TaskMeta {
    contract?: ContractReport['checked']
  }
}

// Said first, so it happens last: a file is red when any local Stripe in it broke the contract.
// biome-ignore lint/correctness/noEmptyPattern: vitest takes no other first parameter
afterAll(async ({}, file) => {
  await endFile()
  const report = await assertContractKeptSoFar()
  if (report) file.meta.contract = report.checked
})
