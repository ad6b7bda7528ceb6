import { createHmac, randomUUID } from 'node:crypto'
import { STRIPE_API_VERSION } from '@/lib/env'
import type { OpenedPayment } from './payment-rows'

type Fields = Record<string, unknown>

/** A PaymentIntent of a payment the way Stripe renders it in an event, with more than we keep. */
export function intentOf(payment: OpenedPayment, status: string, more: Fields = {}): Fields {
  return {
    id: payment.intentId,
    object: 'payment_intent',
    amount: payment.amountMinor,
    amount_received: status === 'succeeded' ? payment.amountMinor : 0,
    currency: payment.currency,
    customer: payment.stripeCustomerId,
    client_secret: `${payment.intentId}_secret_canary`,
    last_payment_error: null,
    latest_charge: status === 'succeeded' ? payment.chargeId : null,
    livemode: false,
    metadata: { payment_id: payment.paymentId, order_id: payment.orderId },
    receipt_email: 'canary@example.test',
    status,
    ...more,
  }
}

export function chargeOf(payment: OpenedPayment, status: 'succeeded' | 'failed', more: Fields = {}): Fields {
  return {
    id: payment.chargeId,
    object: 'charge',
    amount: payment.amountMinor,
    amount_captured: status === 'succeeded' ? payment.amountMinor : 0,
    billing_details: {
      name: 'Canary Person',
      email: 'canary@example.test',
      address: { line1: '1 Canary Street' },
    },
    captured: status === 'succeeded',
    currency: payment.currency,
    customer: payment.stripeCustomerId,
    failure_code: status === 'failed' ? 'card_declined' : null,
    livemode: false,
    metadata: {},
    outcome: { reason: status === 'failed' ? 'generic_decline' : null },
    payment_intent: payment.intentId,
    payment_method_details: {
      type: 'card',
      card: {
        brand: 'visa',
        last4: '4242',
        exp_month: 12,
        exp_year: 2034,
        country: 'US',
        fingerprint: 'canaryprint',
      },
    },
    status,
    ...more,
  }
}

export function eventOf(type: string, object: Fields, more: Fields = {}): Fields & { id: string } {
  return {
    id: `evt_${randomUUID().replaceAll('-', '')}`,
    object: 'event',
    api_version: STRIPE_API_VERSION,
    created: Math.floor(Date.now() / 1000),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
    ...more,
  }
}

/** Sign as Stripe does, independently of the SDK the app verifies with. */
export function signatureOf(
  body: string | Uint8Array,
  secret: string,
  at = Math.floor(Date.now() / 1000),
  scheme = 'v1',
): string {
  const hmac = createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex')
  return `t=${at},${scheme}=${hmac}`
}

export async function postEvent(
  server: string,
  event: Fields | string | Uint8Array,
  options: { secret: string; headers?: Record<string, string>; signature?: string | null },
): Promise<Response> {
  const body = typeof event === 'string' || event instanceof Uint8Array ? event : JSON.stringify(event)
  const signature = options.signature === undefined ? signatureOf(body, options.secret) : options.signature
  return await fetch(`${server}/api/payments/webhook`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(signature === null ? {} : { 'stripe-signature': signature }),
      ...options.headers,
    },
    body: body as BodyInit,
  })
}
