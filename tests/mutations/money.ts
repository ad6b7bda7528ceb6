import { type Mutation, simulator } from './mutation.ts'

/** Mistakes with money. */
export const MONEY_MUTATIONS: readonly Mutation[] = [
  {
    mistake: '32-bit amounts',
    at: 'a migration of its own',
    put: `alter table public.payments alter column amount_minor type integer, alter column amount_received_minor type integer;`,
    caughtBy: {
      project: 'integration',
      file: 'tests/integration/facts.test.ts',
      test: 'beyond 32 bits',
      says: /received: null/,
    },
  },
  {
    mistake: 'a unique index that refuses a fact',
    at: 'a migration of its own',
    put: `create unique index one_paid_payment on public.payments (order_id) where status = 'succeeded';`,
    caughtBy: simulator(/could not be applied: 23505|logged with|should: PostgresError/),
  },
  {
    mistake: 'an order paid twice',
    at: { sqlFunction: 'private.settle_order' },
    find: `    when v_order.status = 'paid' then 'order_already_paid'\n`,
    put: ``,
    caughtBy: simulator(/paid by something else|rows order\.paid|did not pay its order/),
  },
  {
    mistake: 'a second payment that is not sent back',
    at: { sqlFunction: 'private.settle_order' },
    find: `if v_reason = 'order_already_paid' then`,
    put: `if false then`,
    caughtBy: simulator(/paid a second time, and only/),
  },
  {
    mistake: 'an amount that is not compared',
    at: { sqlFunction: 'private.settle_order' },
    find: `p_payment.currency <> v_order.currency or p_payment.amount_received_minor <> v_order.total_minor`,
    put: `false`,
    caughtBy: simulator(/without a payment of just what it costs/),
  },
  {
    mistake: 'the ledger posted twice',
    at: 'a migration of its own',
    put: `alter table private.ledger_transactions drop constraint ledger_transactions_post_once;`,
    caughtBy: simulator(/is posted twice/),
  },
  {
    mistake: 'a failed refund that stays in the books',
    at: { sqlFunction: 'private.apply_refund' },
    find: `    perform private.post_movement(v_payment, p_refund ->> 'id', 'refund_reversal', 'stripe_clearing', 'refunds', v_amount, v_currency);\n`,
    put: ``,
    caughtBy: simulator(/the ledger of .* differ/),
  },
  {
    mistake: 'a change of state without its audit row',
    at: { sqlFunction: 'private.apply_intent' },
    find: `  if v_new.status <> v_old.status then`,
    put: `  if v_new.status <> v_old.status and v_new.status <> 'processing' then`,
    caughtBy: simulator(/the audit log has it at/),
  },
  {
    mistake: 'a reservation that is not counted in what can be refunded',
    at: { sqlFunction: 'private.refundable_minor' },
    find: `where q.payment_id = p.id and q.status = 'reserved'`,
    put: `where false`,
    caughtBy: simulator(/goes back/),
  },
  {
    mistake: 'one key for all refunds of a payment',
    at: 'lib/payments/refund-payment.ts',
    find: 'request.id}:${request.attempt',
    put: 'request.paymentId',
    caughtBy: simulator(/idempotency key went out with two different requests/),
  },
  {
    mistake: 'a new key for every try of a payment',
    at: 'lib/payments/ensure-intent.ts',
    find: 'payment.id}:',
    put: 'crypto.randomUUID()}:',
    caughtBy: simulator(/has \d+ (open )?PaymentIntents/),
  },
  {
    mistake: 'trusting a key that Stripe has forgotten',
    at: 'lib/payments/ensure-intent.ts',
    find: `const KEY_TRUSTED_SECONDS = 23 *`,
    put: `const KEY_TRUSTED_SECONDS = 2300 *`,
    caughtBy: simulator(/has \d+ (open )?PaymentIntents/),
  },
  {
    mistake: 'taking an unknown outcome for a failed one',
    at: 'lib/payments/ensure-intent.ts',
    find: `    if (failure === 'refused') {`,
    put: `    if (failure === 'refused' || failure === 'unknown') {`,
    caughtBy: simulator(/open PaymentIntents|and here it is|ended in a way/),
  },
  {
    mistake: 'a refund of ours that is taken for one made in the dashboard',
    at: { sqlFunction: 'private.apply_refund' },
    find: `    where q.id = private.uuid_or_null(p_refund -> 'metadata' ->> 'refund_request_id') and`,
    put: `    where false and`,
    caughtBy: simulator(
      /refund requests of .* differ|goes back|refund is left reserved|not finished by itself/,
    ),
  },
  {
    mistake: 'nobody finishing a refund whose server has died',
    at: { sqlFunction: 'service.refunds_to_sweep' },
    find: `where q.status = 'reserved' and`,
    put: `where false and`,
    caughtBy: simulator(/not finished by itself/),
  },
]
