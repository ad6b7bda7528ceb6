import type { Mutation } from './mutation.ts'

/** Mistakes with mails. */
export const MAIL_MUTATIONS: readonly Mutation[] = [
  {
    mistake: 'a mail that is not owed in the transaction of its fact',
    at: 'a migration of its own',
    put: `drop trigger payments_owe_receipt on public.payments;`,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/crashes.test.ts',
      test: 'at mail.claimed loses nothing',
      says: /the server reaches mail\.claimed/,
    },
  },
  {
    mistake: 'a mail sent twice, because its claim leaves it due',
    at: { sqlFunction: 'service.claim_mail' },
    find: `, due_at = now() + interval '1 minute'`,
    put: ``,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/mails.test.ts',
      test: 'two processes at once send each mail once',
      says: /to have a length of 1 but got/,
    },
  },
]
