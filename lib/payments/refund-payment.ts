import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService, databaseCode } from '../db/sql'
import { AppError } from '../errors'
import { log } from '../log'
import { askStripe, createFailure, retryAfterSeconds, type Stripe, stripeErrorCode } from '../stripe/server'
import { crashPoint } from './crash-point'
import { sha256 } from './facts'
import type { RefundPaymentInput } from './schema'
import { applyRefund } from './sync-object'

/** See ensure-intent.ts: Stripe keeps keys for at least 24 hours. */
const KEY_TRUSTED_SECONDS = 23 * 60 * 60
const MAX_ATTEMPTS_AT_ONCE = 2

export const RefundRequest = z.object({
  id: z.uuid(),
  paymentId: z.uuid(),
  amountMinor: z.number().int(),
  currency: z.string(),
  status: z.enum(['reserved', 'made', 'refused']),
  request: z.object({
    payment_intent: z.string(),
    amount: z.number().int(),
    reason: z.enum(['duplicate', 'fraudulent', 'requested_by_customer']),
    metadata: z.object({ refund_request_id: z.string(), payment_id: z.string() }),
  }),
  attempt: z.number().int(),
  attemptAgeSeconds: z.number(),
  createdAt: z.string(),
})
export type RefundRequest = z.infer<typeof RefundRequest>

/**
 * Give money back: reserve it in our books, ask Stripe, record the refund. What is reserved counts against what is left, so
 * any number of requests at once never adds up to more than was paid.
 * @throws AppError forbidden, not_found, idempotency_key_reused, refund_too_large, not_refundable, refund_refused, refunds_paused,
 *   provider_unavailable (the refund may or may not exist; the sweeper finds out)
 */
export async function refundPayment({
  user,
  key,
  paymentId,
  input,
}: {
  user: User
  key: string
  paymentId: string
  input: RefundPaymentInput
}): Promise<RefundRequest> {
  const reserved = await reserve(user, key, paymentId, input)
  crashPoint('refund.reserved')
  return await carryOut(reserved, 'app')
}

async function reserve(
  user: User,
  key: string,
  paymentId: string,
  input: RefundPaymentInput,
): Promise<RefundRequest> {
  try {
    const reserved = await callService('request_refund', {
      p_actor: user.id,
      p_payment_id: paymentId,
      p_amount_minor: input.amountMinor ?? null,
      p_reason: input.reason,
      p_note: input.note ?? '',
      p_key: key,
      p_input_hash: await sha256(JSON.stringify([paymentId, input])),
    })
    const request = RefundRequest.parse(reserved)
    log.security('staff_action', { action: 'refund', paymentId, refundRequestId: request.id })
    return request
  } catch (error) {
    const code = databaseCode(error)
    if (code === '42501') throw new AppError('forbidden', { cause: error })
    if (code === 'P0002') throw new AppError('not_found', { cause: error })
    if (code === '23505') throw new AppError('idempotency_key_reused', { cause: error })
    if (code === '22023') throw new AppError('refund_too_large', { cause: error })
    if (code === '55000') throw new AppError('not_refundable', { cause: error })
    if (code === 'PW010') throw new AppError('refunds_paused', { cause: error, retryAfterSeconds: 60 })
    throw error
  }
}

/**
 * Ask Stripe for a refund that is reserved. Safe to repeat at any point, by anybody.
 * @throws AppError refund_refused, provider_unavailable
 */
export async function carryOut(reserved: RefundRequest, source: 'app' | 'sweep'): Promise<RefundRequest> {
  if (reserved.status === 'refused') throw new AppError('refund_refused')
  let request = reserved
  for (let tries = 0; tries < MAX_ATTEMPTS_AT_ONCE && request.status === 'reserved'; tries++) {
    const isKeyForgotten = request.attemptAgeSeconds > KEY_TRUSTED_SECONDS
    const made = isKeyForgotten ? 'key_spent' : await create(request)
    const refund = made === 'key_spent' ? await lookUp(request) : made
    if (refund) {
      crashPoint('refund.made')
      await applyRefund(refund, source)
      return { ...request, status: 'made' }
    }
    request = RefundRequest.parse(
      await callService('next_refund_attempt', { p_request_id: request.id, p_attempt: request.attempt }),
    )
  }
  if (request.status === 'made') return request
  throw new AppError('provider_unavailable', { retryAfterSeconds: 10 })
}

async function create(request: RefundRequest): Promise<Stripe.Refund | 'key_spent'> {
  try {
    return await askStripe((stripe) =>
      stripe.refunds.create(
        { ...request.request, expand: ['balance_transaction'] },
        { idempotencyKey: `refund:${request.id}:${request.attempt}` },
      ),
    )
  } catch (error) {
    const failure = createFailure(error)
    const code = stripeErrorCode(error)
    log.warn('refund_create_failed', { refundRequestId: request.id, attempt: request.attempt, failure, code })
    if (failure === 'key_spent') return 'key_spent'
    if (failure === 'unknown')
      throw new AppError('provider_unavailable', {
        cause: error,
        retryAfterSeconds: retryAfterSeconds(error),
      })
    await callService('refuse_refund', { p_request_id: request.id, p_code: code })
    throw new AppError('refund_refused', { cause: error })
  }
}

async function lookUp(request: RefundRequest): Promise<Stripe.Refund | null> {
  const { payment_intent } = request.request
  let startingAfter: string | undefined
  for (;;) {
    const page = await askStripe((stripe) =>
      stripe.refunds.list({
        payment_intent,
        limit: 100,
        starting_after: startingAfter,
        expand: ['data.balance_transaction'],
      }),
    ).catch((error: unknown) => {
      throw new AppError('provider_unavailable', {
        cause: error,
        retryAfterSeconds: retryAfterSeconds(error),
      })
    })
    const found = page.data.find((refund) => refund.metadata?.refund_request_id === request.id)
    startingAfter = page.data.at(-1)?.id
    if (found || !page.has_more || !startingAfter) return found ?? null
  }
}
