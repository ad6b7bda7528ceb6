import { type Mutation, simulator } from './mutation.ts'

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
  {
    mistake: 'the end of a grace that moves with a later failure',
    at: { sqlFunction: 'private.with_grace' },
    find: `    and (p_invoice.first_failed_at is null or p_failed_at < p_invoice.first_failed_at) then`,
    put: `    and (p_invoice.first_failed_at is null or p_failed_at <> p_invoice.first_failed_at) then`,
    caughtBy: simulator(/the end of the grace of .* has moved|the grace of .* ends at/),
  },
  {
    mistake: 'an old state of a subscription taken over after its end',
    at: { sqlFunction: 'private.apply_subscription' },
    find: `  if not v_is_new and v_old.version <> p_expected_version then
    return 'stale';
  end if;

  if v_old.status in ('canceled', 'incomplete_expired') and p_said ->> 'status' <> v_old.status then`,
    put: `  if false then`,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/subscription-permutations.test.ts',
      test: 'undoes nothing',
      says: /to deeply equal/,
    },
  },
  {
    mistake: 'a second subscription that goes on',
    at: { sqlFunction: 'private.refuse_second_subscriptions' },
    find: `    where x.place > 1 and`,
    put: `    where false and`,
    caughtBy: simulator(/has sub_\w+ and sub_/),
  },
  {
    mistake: 'a second subscription that is paid back with each sweep',
    at: { sqlFunction: 'service.refund_cancelled_subscription' },
    find: `    v_left := private.refundable_minor(v_payment.id);
    if v_left > 0 then
      perform private.reserve_refund(v_payment, v_left, 'duplicate', '', null);
    end if;
  end loop;
  select exists (`,
    put: `    perform private.reserve_refund(v_payment, v_payment.amount_received_minor, 'duplicate', '', null);
  end loop;
  select true or exists (`,
    caughtBy: simulator(/is sent back twice|goes back|is asked for where/),
  },
  {
    mistake: 'a second subscription that has ended, paid back without a look at the first',
    at: { sqlFunction: 'private.stood_in_its_way' },
    find: ` and o.ended_at > p_second.began_at`,
    put: ``,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/subscribing.test.ts',
      test: 'is not paid back when it has ended by itself',
      says: /did not become true/,
    },
  },
  {
    mistake: 'a renewal without a day of its own, because of an older one',
    at: { sqlFunction: 'private.begin_next_grace' },
    find: `  if not found then`,
    put: `  if true then`,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/subscription-permutations.test.ts',
      test: 'the older one that is owed gives the day',
      says: /to deeply equal/,
    },
  },
  {
    mistake: 'no access between what is paid and what is told of it',
    at: { sqlFunction: 'private.entitlements' },
    find: ` or s.status = 'past_due' and owed.is_settled`,
    put: ``,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/entitlements.test.ts',
      test: 'is cleared by the payment',
      says: /to match object/,
    },
  },
  {
    mistake: 'access by a subscription that was never paid for',
    at: { sqlFunction: 'private.entitlements' },
    find: `then s.status in ('active', 'trialing') or`,
    put: `then s.status in ('active', 'trialing', 'incomplete') or`,
    caughtBy: simulator(/is incomplete and gives access/),
  },
]
