import 'server-only'
import type { User } from '../auth/session'
import { callService, databaseCode } from '../db/sql'
import { addressKey } from '../edge/client-address'
import { env } from '../env'
import { AppError } from '../errors'
import { countRolling } from '../redis/rolling-limit'
import { ensureStripeCustomer } from './ensure-customer'
import { ensureIntent } from './ensure-intent'
import { sha256 } from './facts'
import { OpenPayment } from './open-payment'
import type { CreatePaymentInput } from './schema'
import type { PaymentStatus } from './status'

const NEW_PAYMENTS_A_MINUTE = 10
const MINUTE_MS = 60_000

export type CreatedPayment = {
  id: string
  status: PaymentStatus
  amountMinor: number
  currency: string
  /** For the Payment Element. Handed to the payer and never kept. */
  clientSecret: string
}

/**
 * Open the payment of an order, or return the one it has. Three phases, each safe to repeat: a row of ours with the request
 * frozen in it, Stripe's PaymentIntent, the link between them. The same key always leads to the same payment.
 * @throws AppError not_found, order_not_payable, idempotency_key_reused, too_many_requests, payment_refused,
 *   provider_unavailable, unavailable
 */
export async function createPayment({
  user,
  key,
  input,
  address,
}: {
  user: User
  key: string
  input: CreatePaymentInput
  /** The payer's address by a trusted proxy; null when there is none. */
  address: string | null
}): Promise<CreatedPayment> {
  const inputHash = await sha256(JSON.stringify(input))
  const opened = (await findByKey(user, key, inputHash)) ?? (await open(user, key, inputHash, input, address))
  const { payment, intent } = await ensureIntent(opened, 'sync')
  if (!intent.client_secret) throw new AppError('provider_unavailable')
  return {
    id: payment.id,
    status: intent.status as PaymentStatus,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    clientSecret: intent.client_secret,
  }
}

/** A repeated key is answered before anything is counted. */
async function findByKey(user: User, key: string, inputHash: string): Promise<OpenPayment | null> {
  const known = await inWords(
    callService('payment_for_key', { p_actor: user.id, p_key: key, p_input_hash: inputHash }),
  )
  return known === null ? null : OpenPayment.parse(known)
}

async function open(
  user: User,
  key: string,
  inputHash: string,
  input: CreatePaymentInput,
  address: string | null,
): Promise<OpenPayment> {
  const rules = [{ key: `payments:user:${user.id}`, limit: NEW_PAYMENTS_A_MINUTE }]
  if (address) rules.push({ key: `payments:address:${addressKey(address)}`, limit: NEW_PAYMENTS_A_MINUTE })
  const verdict = await countRolling(rules, `${user.id}:${key}`, MINUTE_MS)
  if (!verdict.allowed)
    throw new AppError('too_many_requests', { retryAfterSeconds: verdict.retryAfterSeconds })

  const stripeCustomerId = await ensureStripeCustomer(user)
  const opened = await inWords(
    callService('open_payment', {
      p_actor: user.id,
      p_livemode: env().livemode,
      p_order_id: input.orderId,
      p_key: key,
      p_input_hash: inputHash,
      p_stripe_customer_id: stripeCustomerId,
    }),
  )
  return OpenPayment.parse(opened)
}

/** What the functions raise, in the words of lib/errors.ts. */
async function inWords(call: Promise<unknown>): Promise<unknown> {
  try {
    return await call
  } catch (error) {
    const code = databaseCode(error)
    if (code === 'P0002') throw new AppError('not_found', { cause: error })
    if (code === '23505') throw new AppError('idempotency_key_reused', { cause: error })
    if (code === '55000') throw new AppError('order_not_payable', { cause: error })
    throw error
  }
}
