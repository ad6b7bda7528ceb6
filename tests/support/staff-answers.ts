import { z } from 'zod'

const event = z.strictObject({
  id: z.string(),
  livemode: z.boolean(),
  type: z.string(),
  objectId: z.string().nullable(),
  status: z.string(),
  source: z.string(),
  attempts: z.number(),
  lastError: z.string().nullable(),
  receivedAt: z.string(),
  processedAt: z.string().nullable(),
  nextAttemptAt: z.string().nullable(),
  replayId: z.uuid().nullable(),
})
const switches = z.strictObject({
  switches: z.array(
    z.strictObject({
      name: z.string(),
      on: z.boolean(),
      reason: z.string().nullable(),
      changedAt: z.string().nullable(),
      changedBy: z.uuid().nullable(),
    }),
  ),
})
const limit = z.strictObject({
  rule: z.string(),
  currency: z.string(),
  value: z.number().nullable(),
  windowSeconds: z.number().nullable(),
  countries: z.array(z.string()).nullable(),
  version: z.number(),
  changedAt: z.string(),
  changedBy: z.uuid().nullable(),
})
const apiKey = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  prefix: z.string().max(14),
  livemode: z.boolean(),
  scopes: z.array(z.string()),
  createdBy: z.uuid(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
})
const placed = {
  id: z.uuid(),
  reference: z.string(),
  customerId: z.uuid().nullable(),
  status: z.string(),
  totalMinor: z.number(),
  currency: z.string(),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  paidAt: z.string().nullable(),
  lines: z.array(
    z.strictObject({
      productId: z.uuid().nullable(),
      name: z.string(),
      quantity: z.number(),
      unitAmountMinor: z.number(),
      amountMinor: z.number(),
    }),
  ),
}
const order = z.strictObject({
  order: z.strictObject({ ...placed, externalReference: z.string().nullable(), checkoutUrl: z.url() }),
})
const paymentRequest = z.strictObject({
  ...placed,
  email: z.string().nullable(),
  claimedAt: z.string().nullable(),
  url: z.url(),
})

/** Every field that the addresses of staff and of other systems may answer with. */
export const STAFF_ANSWERS = {
  'GET /api/admin/events': z.strictObject({ events: z.array(event), nextCursor: z.string().nullable() }),
  'POST /api/admin/replays': z.strictObject({
    replay: z.strictObject({
      replayId: z.uuid(),
      events: z.number(),
      outcomes: z.record(z.string(), z.number()),
    }),
  }),
  'GET /api/admin/switches': switches,
  'PUT /api/admin/switches/[name]': switches,
  'GET /api/admin/payment-limits': z.strictObject({ limits: z.array(limit) }),
  'PUT /api/admin/payment-limits/[rule]': z.strictObject({ limit }),
  'GET /api/admin/staff': z.strictObject({
    staff: z.array(z.strictObject({ userId: z.uuid(), role: z.string(), since: z.string() })),
  }),
  'PUT /api/admin/staff/[userId]': z.strictObject({
    member: z.strictObject({ userId: z.uuid(), role: z.string().nullable() }),
  }),
  'GET /api/admin/api-keys': z.strictObject({ apiKeys: z.array(apiKey) }),
  'POST /api/admin/api-keys': z.strictObject({ apiKey, secret: z.string() }),
  'POST /api/admin/api-keys/[id]/revocation': z.strictObject({ apiKey }),
  'GET /api/admin/payment-requests': z.strictObject({
    paymentRequests: z.array(paymentRequest),
    nextBefore: z.uuid().nullable(),
  }),
  'POST /api/admin/payment-requests': z.strictObject({ paymentRequest }),
  'POST /api/admin/payment-requests/[id]/cancellation': z.strictObject({
    order: z.strictObject({ id: z.uuid(), status: z.string() }),
  }),
  'POST /api/orders': order,
  'GET /api/orders/[id]': order,
}
