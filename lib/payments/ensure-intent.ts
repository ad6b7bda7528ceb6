import 'server-only'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { log } from '../log'
import {
  askStripe,
  createFailure,
  isUnknownCustomer,
  retryAfterSeconds,
  type Stripe,
  stripeErrorCode,
} from '../stripe/server'
import { crashPoint } from './crash-point'
import { intentFacts } from './facts'
import { OpenPayment } from './open-payment'
import { syncPaymentIntent } from './sync-object'

/** Stripe keeps idempotency keys for at least 24 hours. After that a repeat could create a second PaymentIntent. */
const KEY_TRUSTED_SECONDS = 23 * 60 * 60
const MAX_ATTEMPTS_AT_ONCE = 2

/**
 * The one PaymentIntent of a payment: fetched if it is linked, created and linked otherwise. Safe to repeat at any point,
 * by anybody: the same key with the same frozen parameters makes the same PaymentIntent, and where a key can no longer be
 * trusted we look before we create.
 * @throws AppError provider_unavailable when Stripe's answer did not arrive (the outcome is then `unknown`, never failed)
 * @throws AppError payment_refused when Stripe refused the request itself
 */
export async function ensureIntent(
  opened: OpenPayment,
  source: 'sync' | 'sweep',
): Promise<{ payment: OpenPayment; intent: Stripe.PaymentIntent }> {
  if (opened.status === 'canceled' && !opened.intentId) throw new AppError('payment_refused')
  if (opened.intentId) {
    const intent = await retrieveLinked(opened, opened.intentId, source)
    return { payment: opened, intent }
  }

  let payment = opened
  for (let tries = 0; tries < MAX_ATTEMPTS_AT_ONCE; tries++) {
    const isKeyForgotten = payment.attemptAgeSeconds > KEY_TRUSTED_SECONDS
    const made = isKeyForgotten ? 'key_spent' : await create(payment)
    const intent = made === 'key_spent' ? await lookUp(payment) : made
    if (intent) return { payment: await link(payment, intent), intent }
    payment = OpenPayment.parse(
      await callService('next_payment_attempt', { p_payment_id: payment.id, p_attempt: payment.attempt }),
    )
    if (payment.intentId) return { payment, intent: await retrieveLinked(payment, payment.intentId, source) }
  }
  throw new AppError('provider_unavailable', { retryAfterSeconds: 10 })
}

async function create(payment: OpenPayment): Promise<Stripe.PaymentIntent | 'key_spent'> {
  const request = payment.request
  if (!request) throw new Error('a payment opened by the app has its request')
  try {
    return await askStripe((stripe) =>
      stripe.paymentIntents.create(request, { idempotencyKey: `payment:${payment.id}:${payment.attempt}` }),
    )
  } catch (error) {
    const failure = createFailure(error)
    const code = stripeErrorCode(error)
    log.warn('payment_create_failed', { paymentId: payment.id, attempt: payment.attempt, failure, code })
    if (failure === 'key_spent') return 'key_spent'
    if (failure === 'refused') {
      if (isUnknownCustomer(error)) {
        await callService('forget_stripe_customer', {
          p_livemode: env().livemode,
          p_stripe_customer_id: request.customer,
        })
      }
      await callService('refuse_payment', { p_payment_id: payment.id, p_code: code })
      throw new AppError('payment_refused', { cause: error })
    }
    await callService('mark_payment_unknown', { p_payment_id: payment.id })
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
}

/** Stripe's lists are consistent, its search is not: go through the customer's PaymentIntents since the payment was opened. */
async function lookUp(payment: OpenPayment): Promise<Stripe.PaymentIntent | null> {
  const customer = payment.request?.customer
  if (!customer) return null
  const since = Math.floor(Date.parse(payment.createdAt) / 1000) - 300
  return await inTime(async () => {
    let startingAfter: string | undefined
    for (;;) {
      const page = await askStripe((stripe) =>
        stripe.paymentIntents.list({
          customer,
          created: { gte: since },
          limit: 100,
          starting_after: startingAfter,
        }),
      )
      const found = page.data.find((intent) => intent.metadata.payment_id === payment.id)
      startingAfter = page.data.at(-1)?.id
      if (found || !page.has_more || !startingAfter) return found ?? null
    }
  })
}

async function link(payment: OpenPayment, intent: Stripe.PaymentIntent): Promise<OpenPayment> {
  crashPoint('payment.made')
  const linked = await callService('link_payment_intent', {
    p_livemode: env().livemode,
    p_payment_id: payment.id,
    p_intent: { json: await intentFacts(intent) },
  })
  return OpenPayment.parse(linked)
}

async function retrieveLinked(
  payment: OpenPayment,
  intentId: string,
  source: 'sync' | 'sweep',
): Promise<Stripe.PaymentIntent> {
  return await inTime(() => syncPaymentIntent({ id: intentId, expectedVersion: payment.version, source }))
}

/** Nothing is made here, so any failure to hear from Stripe is simply: try again. */
async function inTime<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
}
