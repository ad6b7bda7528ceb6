import { z } from 'zod'
import type { HandlerName } from '@/lib/edge/route-table'
import { STAFF_ANSWERS } from './staff-answers'

const payment = z.strictObject({
  id: z.uuid(),
  orderId: z.uuid().nullable(),
  description: z.string(),
  status: z.string(),
  amountMinor: z.number(),
  refundedMinor: z.number(),
  currency: z.string(),
  card: z.strictObject({ brand: z.string(), last4: z.string() }).nullable(),
  createdAt: z.string(),
})
const movement = z.strictObject({
  status: z.string(),
  amountMinor: z.number(),
  currency: z.string(),
  createdAt: z.string(),
})
const paymentDetail = payment.extend({
  reference: z.string(),
  paidAt: z.string().nullable(),
  failureHint: z.string().nullable(),
  timeline: z.array(z.strictObject({ at: z.string(), kind: z.string() })),
  refunds: z.array(movement),
  disputes: z.array(movement),
})
const card = z.strictObject({
  id: z.string(),
  brand: z.string(),
  last4: z.string(),
  expMonth: z.number(),
  expYear: z.number(),
  expiry: z.string(),
  isDefault: z.boolean(),
})
const counts = z.record(z.string(), z.number())

/** What a refusal says, whoever refuses. */
export const Refusal = z.strictObject({
  error: z.strictObject({ code: z.string(), message: z.string(), requestId: z.uuid() }),
})

/** Every field that each JSON address may answer with; null where it answers nothing. */
export const ANSWERS: Record<HandlerName, z.ZodType | null> = {
  ...STAFF_ANSWERS,
  'POST /api/payments/create-payment-intent': z.strictObject({
    id: z.uuid(),
    status: z.string(),
    clientSecret: z.string(),
    amountMinor: z.number(),
    currency: z.string(),
  }),
  'POST /api/payments/webhook': z.strictObject({ received: z.literal(true) }),
  'GET /api/payments/history': z.strictObject({
    payments: z.array(payment),
    nextCursor: z.string().nullable(),
  }),
  'GET /api/payments/[id]': z.strictObject({ payment: paymentDetail }),
  'POST /api/payments/[id]/sync': z.strictObject({ payment: paymentDetail }),
  'POST /api/payments/[id]/refunds': z.strictObject({
    refund: z.strictObject({
      id: z.uuid(),
      amountMinor: z.number(),
      currency: z.string(),
      status: z.string(),
    }),
  }),
  'GET /api/payment-methods': z.strictObject({ cards: z.array(card) }),
  'POST /api/payment-methods': z.strictObject({ id: z.uuid(), clientSecret: z.string() }),
  'POST /api/payment-methods/sessions': z.strictObject({ clientSecret: z.string().nullable() }),
  'PUT /api/payment-methods/[id]/default': z.strictObject({ card: card.pick({ id: true, isDefault: true }) }),
  'DELETE /api/payment-methods/[id]': z.strictObject({ card: card.pick({ id: true }) }),
  'POST /api/orders/[id]/cancellation': z.strictObject({
    order: z.strictObject({ id: z.uuid(), status: z.string() }),
  }),
  'POST /api/privacy/erasure': z.strictObject({ erased: z.literal(true) }),
  'POST /api/privacy/exports': z.strictObject({
    madeAt: z.string(),
    customerId: z.uuid(),
    tables: z.record(
      z.string(),
      z.strictObject({ withheld: z.array(z.string()), why: z.string(), rows: z.array(z.looseObject({})) }),
    ),
  }),
  'POST /api/orders/[id]/claim': z.strictObject({
    order: z.strictObject({ id: z.uuid(), status: z.string() }),
  }),
  'POST /api/session': z.strictObject({ next: z.string() }),
  'POST /api/cron/sweep': counts,
  'POST /api/cron/sessions': counts,
  'POST /api/cron/retention': counts,
  'POST /api/cron/outbox': counts,
  'POST /api/cron/grace': counts,
  'POST /api/billing/checkouts': z.strictObject({ url: z.url() }),
  'POST /api/billing/portal-sessions': z.strictObject({ url: z.url() }),
  'POST /api/billing/invoices/[id]/payment': z.strictObject({
    id: z.uuid(),
    status: z.string(),
    clientSecret: z.string(),
    amountMinor: z.number(),
    currency: z.string(),
  }),
  'GET /api/billing/entitlements': z.strictObject({
    customerId: z.uuid(),
    entitlements: z.array(
      z.strictObject({
        group: z.string(),
        tier: z.string(),
        planId: z.uuid(),
        plan: z.string(),
        subscriptionId: z.uuid(),
        state: z.enum(['active', 'grace']),
        until: z.string().nullable(),
      }),
    ),
  }),
  'POST /api/cron/cards': counts,
  'POST /api/cron/seal': z.strictObject({
    sealed: z.number(),
    count: z.number(),
    hash: z.string(),
    more: z.boolean(),
    waiting: z.boolean(),
    headHolds: z.boolean(),
  }),
  'POST /api/cron/reconcile': z.strictObject({
    runId: z.uuid(),
    counts,
    outcome: z.string(),
    findings: z.number().optional(),
    unresolved: z.number().optional(),
    totals: z.array(z.unknown()).optional(),
  }),
  'POST /api/csp-reports': null,
  'GET /api/health': z.strictObject({
    status: z.string(),
    checks: z.strictObject({
      database: z.boolean(),
      auth: z.boolean(),
      stripe: z.boolean(),
      redis: z.boolean(),
    }),
  }),
}
