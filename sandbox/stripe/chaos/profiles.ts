import type { RuleInput } from './rules.ts'

/** Payment flows that make and confirm in one call announce the creation last (stripe.E2). */
const CREATED_LAST: RuleInput = { fault: 'webhook.delay', eventType: 'payment_intent.created', ms: 1500 }

const UNORDERED: RuleInput[] = [
  CREATED_LAST,
  { fault: 'webhook.reorder', probability: 0.5, ms: 1000 },
  { fault: 'webhook.duplicate', probability: 0.2 },
  { fault: 'webhook.twin', probability: 0.1 },
  { fault: 'webhook.dropFirst', probability: 0.1 },
]

const UNRELIABLE_NETWORK: RuleInput[] = [
  { fault: 'before.slow', probability: 0.2, ms: 800 },
  { fault: 'before.reset', probability: 0.08 },
  { fault: 'before.error500', probability: 0.05 },
  { fault: 'before.error503', probability: 0.05 },
  { fault: 'before.rateLimit', probability: 0.03 },
  { fault: 'before.keyInUse', method: 'POST', probability: 0.03 },
  { fault: 'after.reset', method: 'POST', probability: 0.08 },
  { fault: 'after.truncated', method: 'POST', probability: 0.05 },
  { fault: 'after.error500', method: 'POST', probability: 0.03 },
]

const HOSTILE_WEBHOOKS: RuleInput[] = [
  { fault: 'webhook.badSignature', probability: 0.15 },
  { fault: 'webhook.wrongSecret', probability: 0.1 },
  { fault: 'webhook.staleTimestamp', probability: 0.1 },
  { fault: 'webhook.truncated', probability: 0.1 },
  { fault: 'webhook.unknownType', probability: 0.1 },
  { fault: 'webhook.olderVersion', probability: 0.1 },
  { fault: 'webhook.secondEndpoint', probability: 0.1 },
]

const LOST_WEBHOOKS: RuleInput[] = [
  { fault: 'webhook.dropFirst', probability: 0.5, attempts: 2 },
  { fault: 'webhook.dropForever', probability: 0.2 },
]

const UNHAPPY_MONEY: RuleInput[] = [
  { fault: 'domain.refundFails', probability: 0.5 },
  { fault: 'domain.disputeAfterRefund', probability: 0.3 },
  { fault: 'domain.challengeAbandoned', probability: 0.2 },
]

/** What stands between the app and Stripe: an answer that never comes, or one that somebody else gave. */
const NO_ANSWERS: RuleInput[] = [
  { fault: 'after.hang', method: 'POST', probability: 0.05, ms: 20_000 },
  { fault: 'before.notJson', probability: 0.05 },
]

/** Days that pass in a moment: authorizations end, keys are forgotten, deadlines are missed. */
const TIME_JUMPS: RuleInput[] = [{ fault: 'domain.clockJump', method: 'POST', probability: 0.02 }]

/** Sets of rules for everyday use. `default` is what Stripe does on a normal day. */
export const PROFILES: Record<string, RuleInput[]> = {
  default: UNORDERED,
  'created-last': [CREATED_LAST],
  'unreliable-network': UNRELIABLE_NETWORK,
  'hostile-webhooks': HOSTILE_WEBHOOKS,
  'lost-webhooks': LOST_WEBHOOKS,
  'early-webhooks': [{ fault: 'after.webhookFirst', method: 'POST' }],
  'late-webhooks': [{ fault: 'webhook.delay', ms: 15_000 }],
  'unhappy-money': UNHAPPY_MONEY,
  'no-answers': NO_ANSWERS,
  'time-jumps': TIME_JUMPS,
  everything: [
    ...UNORDERED,
    ...UNRELIABLE_NETWORK,
    ...HOSTILE_WEBHOOKS,
    ...LOST_WEBHOOKS,
    ...UNHAPPY_MONEY,
    { fault: 'after.webhookFirst', method: 'POST', probability: 0.1 },
    ...NO_ANSWERS,
    ...TIME_JUMPS,
  ],
}
