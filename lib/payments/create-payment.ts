import 'server-only'
import type { User } from '../auth/session'
import { callService, databaseCode, databaseDetail } from '../db/sql'
import { addressPrefix } from '../edge/client-address'
import { env } from '../env'
import { AppError, type ErrorCode, isAppError } from '../errors'
import { takeFromLimits } from '../take-from-limits'
import { crashPoint } from './crash-point'
import { ensureStripeCustomer } from './ensure-customer'
import { ensureIntent } from './ensure-intent'
import { sha256 } from './facts'
import { OpenPayment } from './open-payment'
import type { CreatePaymentInput } from './schema'
import type { PaymentStatus } from './status'

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
 * What a limit refuses is refused before Stripe is asked for anything.
 * @throws AppError not_found, order_not_payable, idempotency_key_reused, too_many_requests, payment_refused,
 *   payments_paused, provider_unavailable, unavailable, and those of LIMITS
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
  const asked = {
    user,
    key,
    orderId: input.orderId,
    inputHash: await sha256(JSON.stringify(input)),
    addressHash: address && (await sha256(addressPrefix(address))),
  }
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

type Asked = { user: User; key: string; orderId: string; inputHash: string; addressHash: string | null }

/** Only a payment that is not there yet counts: neither a repeated key nor a second tab does. */
async function openNew(asked: Asked, address: string | null): Promise<OpenPayment> {
  await takeFromLimits(
    ['new-payments', 'new-payments-address'],
    { person: asked.user.id, address },
    { outage: 'local', member: `${asked.user.id}:${asked.key}` },
  )

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
      p_address_hash: asked.addressHash,
    }),
  ).catch(async (error: unknown) => {
    if (isAppError(error, 'daily_limit_reached') || isAppError(error, 'monthly_limit_reached'))
      await makeRoom(asked.user)
    throw error
  })
  return opened === null ? null : OpenPayment.parse(opened)
}

/** Payments that were never finished take up the person's sums: let go of the old ones. The sweeper cancels them. */
async function makeRoom(user: User): Promise<void> {
  await callService('cancel_idle_payments', { p_actor: user.id, p_livemode: env().livemode })
}

/** What private.check_limits raises, and private.require_on. */
const LIMITS: Readonly<Record<string, ErrorCode>> = {
  PW001: 'amount_too_small',
  PW002: 'amount_too_large',
  PW003: 'daily_limit_reached',
  PW004: 'monthly_limit_reached',
  PW005: 'too_many_attempts',
  PW006: 'too_many_failures',
  PW010: 'payments_paused',
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
    const limit = code && LIMITS[code]
    if (limit) {
      const retryAfterSeconds = Number(databaseDetail(error)) || undefined
      throw new AppError(limit, { cause: error, ...(retryAfterSeconds && { retryAfterSeconds }) })
    }
    throw error
  }
}
