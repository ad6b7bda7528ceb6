import 'server-only'
import type { User } from '../auth/session'
import { callService, databaseCode } from '../db/sql'
import { addressKey } from '../edge/client-address'
import { env } from '../env'
import { AppError } from '../errors'
import { countRolling } from '../redis/rolling-limit'
import { crashPoint } from './crash-point'
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
  const asked = { user, key, orderId: input.orderId, inputHash: await sha256(JSON.stringify(input)) }
  const opened = (await open(asked, null)) ?? (await openNew(asked, address))
  crashPoint('payment.opened')
  const { payment, intent } = await ensureIntent(opened, 'sync')
  crashPoint('payment.linked')
  if (!intent.client_secret) throw new AppError('provider_unavailable')
  return {
    id: payment.id,
    status: intent.status as PaymentStatus,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    clientSecret: intent.client_secret,
  }
}

type Asked = { user: User; key: string; orderId: string; inputHash: string }

/** Only a payment that is not there yet counts: neither a repeated key nor a second tab does. */
async function openNew(asked: Asked, address: string | null): Promise<OpenPayment> {
  const rules = [{ key: `payments:user:${asked.user.id}`, limit: NEW_PAYMENTS_A_MINUTE }]
  if (address) rules.push({ key: `payments:address:${addressKey(address)}`, limit: NEW_PAYMENTS_A_MINUTE })
  const verdict = await countRolling(rules, `${asked.user.id}:${asked.key}`, MINUTE_MS)
  if (!verdict.allowed)
    throw new AppError('too_many_requests', { retryAfterSeconds: verdict.retryAfterSeconds })

  const opened = await open(asked, await ensureStripeCustomer(asked.user))
  if (!opened) throw new Error('open_payment opens a payment when it may')
  return opened
}

/** @param stripeCustomerId whom to ask Stripe to charge; null to find a payment without opening one */
async function open(asked: Asked, stripeCustomerId: string | null): Promise<OpenPayment | null> {
  const opened = await inWords(
    callService('open_payment', {
      p_actor: asked.user.id,
      p_livemode: env().livemode,
      p_order_id: asked.orderId,
      p_key: asked.key,
      p_input_hash: asked.inputHash,
      p_stripe_customer_id: stripeCustomerId,
      p_may_open: stripeCustomerId !== null,
    }),
  )
  return opened === null ? null : OpenPayment.parse(opened)
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
