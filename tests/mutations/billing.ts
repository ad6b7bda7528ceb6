import type { Mutation } from './mutation.ts'

const entitlements = (test: string, says: RegExp): Mutation['caughtBy'] => ({
  project: 'integration',
  file: 'tests/integration/entitlements.test.ts',
  test,
  says,
})

/** Mistakes about what people may use, and for how long. */
export const BILLING_MUTATIONS: readonly Mutation[] = [
  {
    mistake: 'grace restarting on every failed retry',
    at: { sqlFunction: 'private.with_grace' },
    find: `    and (p_invoice.first_failed_at is null or p_failed_at < p_invoice.first_failed_at) then`,
    put: `    and p_failed_at is distinct from p_invoice.first_failed_at then`,
    caughtBy: entitlements('however often it fails again', /endsAt/),
  },
  {
    mistake: 'trusting cached JSON without checking whose it is',
    at: 'lib/billing/entitlement-cache.ts',
    find: `  if (!body || !timingSafeEqual(signatureOf(body), Buffer.from(signature, 'base64url'))) return null`,
    put: `  if (!body) return null`,
    caughtBy: entitlements('poisoned cache', /to deeply equal/),
  },
  {
    mistake: 'a slow reader that brings an old answer back',
    at: 'lib/billing/entitlement-cache.ts',
    find: `if tonumber(ARGV[2]) < floor then return 0 end`,
    put: ``,
    caughtBy: entitlements('slow reader', /undefined|premium/),
  },
]
