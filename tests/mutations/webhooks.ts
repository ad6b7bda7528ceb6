import { type Catcher, type Mutation, simulator } from './mutation.ts'

const route = (test: string, says: RegExp): Catcher => ({
  project: 'unit',
  file: 'tests/unit/webhook.test.ts',
  test,
  says,
})
const facts = (test: string, says: RegExp): Catcher => ({
  project: 'integration',
  file: 'tests/integration/facts.test.ts',
  test,
  says,
})

/** Mistakes on the way in. */
export const WEBHOOK_MUTATIONS: readonly Mutation[] = [
  {
    mistake: 'answering 200 while another worker holds the lock',
    at: { sqlFunction: 'service.apply_event' },
    find: `for update;
  if v_row.status <> 'pending' then`,
    put: `for update skip locked;
  if v_row.status is distinct from 'pending' then`,
    caughtBy: facts('while another worker has it', /expected 200 to be 503|to be 503/),
  },
  {
    mistake: 'recording an event as done before what it says is done',
    at: { sqlFunction: 'service.apply_event' },
    find: `  return jsonb_build_object('outcome', 'needs_fetch'`,
    put: `  update private.webhook_events set status = 'processed' where livemode = v_mode and event_id = v_id;
  return jsonb_build_object('outcome', 'needs_fetch'`,
    caughtBy: simulator(/differ|and here it (is|says)|payments here/),
  },
  {
    mistake: 'answering 200 for an event that failed',
    at: 'lib/payments/apply-event.ts',
    find: `  if (outcome === 'failed') throw new AppError('unavailable', { retryAfterSeconds: 10 })`,
    put: `  if (outcome === 'failed') return 'ignored'`,
    caughtBy: route('answers for an event that is failed with 503', /503/),
  },
  {
    mistake: '400 with error.message for every failure',
    at: 'lib/http.ts',
    find: `  logFailure('route', known, error)`,
    put: `  if (!isAppError(error)) return json({ error: { code: 'x', message: (error as Error).message } }, 400)
  logFailure('route', known, error)`,
    caughtBy: route('tells nobody what went wrong', /to be greater than or equal to 500|canary/),
  },
  {
    mistake: 'only one webhook secret',
    at: 'lib/stripe/webhook.ts',
    find: `['current', 'previous'] as const`,
    put: `['current'] as const`,
    caughtBy: route('takes what the previous secret has signed', /400/),
  },
  {
    mistake: 'skipping verification when the header is missing',
    at: 'lib/stripe/webhook.ts',
    find: `if (!signature) throw new AppError('invalid_signature')`,
    put: `if (!signature) return { event: JSON.parse(new TextDecoder().decode(rawBody)), verifiedWith: 'current' }`,
    caughtBy: route('refuses no signature', /400|invalid_signature/),
  },
  {
    mistake: 'skipping verification when a secret is missing or does not fit',
    at: 'lib/stripe/webhook.ts',
    find: `  throw new AppError('invalid_signature')
}`,
    put: `  return { event: JSON.parse(body.toString()), verifiedWith: 'previous' }
}`,
    caughtBy: route('refuses a signature of somebody else', /400|invalid_signature/),
  },
  {
    mistake: 'believing a signature however old it is',
    at: 'lib/stripe/webhook.ts',
    find: `const TOLERANCE_SECONDS = 300`,
    put: `const TOLERANCE_SECONDS = 0`,
    caughtBy: route('refuses a signature that is old', /400|invalid_signature/),
  },
  {
    mistake: 'storing the client secret',
    at: 'lib/payments/facts.ts',
    find: `    amount_received: intent.amount_received,`,
    put: `    amount_received: intent.amount_received,
    ...({ client_secret: intent.client_secret } as object),`,
    caughtBy: route('of a PaymentIntent is neither', /canary/),
  },
  {
    mistake: 'success_url from the client',
    at: 'lib/payments/schema.ts',
    find: `z.strictObject({ orderId: z.uuid() })`,
    put: `z.looseObject({ orderId: z.uuid() })`,
    caughtBy: route('of a browser is no success_url', /expected true to be false/),
  },
  {
    mistake: 'validating card numbers on our server, instead of refusing them',
    at: 'lib/http.ts',
    find: `  if (holdsCardNumberDeep(value)) throw new AppError('card_number_refused')\n`,
    put: ``,
    caughtBy: route('of a card is not its number', /resolved/),
  },
  {
    mistake: 'taking events of the other mode',
    at: { sqlFunction: 'service.apply_event' },
    find: `if v_mode <> p_livemode or `,
    put: `if `,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/webhook.test.ts',
      test: 'keeps an event of the other mode',
      says: /rejected/,
    },
  },
  {
    mistake: 'unknown event types as errors',
    at: { sqlFunction: 'service.apply_event' },
    find: `  if v_fetch_kind is null or v_fetch_id is null then`,
    put: `  if v_fetch_kind is null then
    return jsonb_build_object('outcome', private.note_event_failure(v_mode, v_id, 'XX000'));
  end if;
  if v_fetch_id is null then`,
    caughtBy: simulator(/could not be applied: XX000|not finished by itself/),
  },
  {
    mistake: 'second-grained ordering that drops the second event',
    at: { sqlFunction: 'service.apply_event' },
    find: `  v_fetch_kind := private.hinted_kind(v_type);`,
    put: `  if exists (select from private.webhook_events e where e.object_id = v_object ->> 'id' and e.status = 'processed'
      and e.event_id <> v_id and e.stripe_created_at >= to_timestamp((p_event ->> 'created')::double precision)) then
    update private.webhook_events set status = 'ignored' where livemode = v_mode and event_id = v_id;
    return jsonb_build_object('outcome', 'ignored');
  end if;
  v_fetch_kind := private.hinted_kind(v_type);`,
    caughtBy: simulator(/differ|and here it (is|says)/),
  },
  {
    mistake: 'hints applied from the event: "upserts make order irrelevant"',
    at: { sqlFunction: 'private.apply_intent' },
    find: `  if not v_locked.is_new and v_old.version <> p_expected_version then
    return 'stale';
  end if;`,
    put: ``,
    caughtBy: simulator(/at Stripe, and here|and here it is/),
  },
  {
    mistake: 'refunds that are upserted in whatever order they come',
    at: { sqlFunction: 'private.apply_refund' },
    find: `  if coalesce(v_old.version, 0) <> p_expected_version then
    return 'stale';
  end if;`,
    put: ``,
    caughtBy: facts('about a refund is not taken back', /'applied'/),
  },
  {
    mistake: 'an answer that changed nothing leaves the version as it was',
    at: { sqlFunction: 'service.apply_snapshot' },
    find: `  if v_outcome = 'applied' and v_version = p_expected_version and not v_final then`,
    put: `  if false then`,
    caughtBy: facts('about a subscription that goes on is not taken back', /'applied'/),
  },
  {
    mistake: 'a final state that a late snapshot overwrites',
    at: { sqlFunction: 'private.next_status' },
    find: `    when p_now = 'succeeded' then p_now
    when p_now = 'canceled' and p_said <> 'succeeded' then p_now
`,
    put: ``,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/status.test.ts',
      test: 'from succeeded, when Stripe says processing',
      says: /to match object \{ status: 'succeeded' \}/,
    },
  },
  {
    mistake: 'deleting a lock one no longer owns',
    at: { sqlFunction: 'service.release_lease' },
    find: `where name = p_name and holder = p_token and expires_at > clock_timestamp()`,
    put: `where name = p_name`,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/reconcile-lease.test.ts',
      test: 'a holder whose time is over',
      says: /true|expected/,
    },
  },
]
