import type { Stripe } from '../stripe/server'

/**
 * The few fields of Stripe's objects that we keep and act on, by name. Everything else (names, addresses, mails, client
 * secrets, whole cards) is dropped here, before anything reaches the database or a log.
 */
export type IntentFacts = {
  object: 'payment_intent'
  id: string
  status: string
  amount: number
  amount_received: number
  currency: string
  customer: string | null
  metadata: { payment_id?: string; order_id?: string }
  latest_charge: string | ChargeFacts | null
  last_payment_error: { code?: string; decline_code?: string } | null
}

export type ChargeFacts = {
  object: 'charge'
  id: string
  payment_intent: string | null
  status: string
  captured: boolean
  amount_captured: number
  currency: string
  failure_code: string | null
  decline_code: string | null
  card: CardFacts | null
}

type CardFacts = {
  brand: string | null
  last4: string | null
  exp_month: number | null
  exp_year: number | null
  country: string | null
  fingerprint_hash: string | null
}

export type EventFacts = {
  id: string
  type: string
  created: number
  livemode: boolean
  api_version: string | null
  account: string | null
  object: IntentFacts | ChargeFacts | { object: string; id: string | null }
}

export async function eventFacts(event: Stripe.Event): Promise<EventFacts> {
  const object = event.data.object as { object: string; id?: string }
  return {
    id: event.id,
    type: event.type,
    created: event.created,
    livemode: event.livemode,
    api_version: event.api_version,
    account: event.account ?? null,
    object: await objectFacts(object),
  }
}

async function objectFacts(object: { object: string; id?: string }): Promise<EventFacts['object']> {
  if (object.object === 'payment_intent') return await intentFacts(object as Stripe.PaymentIntent)
  if (object.object === 'charge') return await chargeFacts(object as Stripe.Charge)
  return { object: object.object, id: object.id ?? null }
}

export async function intentFacts(intent: Stripe.PaymentIntent): Promise<IntentFacts> {
  const { payment_id, order_id } = intent.metadata
  const failure = intent.last_payment_error
  return {
    object: 'payment_intent',
    id: intent.id,
    status: intent.status,
    amount: intent.amount,
    amount_received: intent.amount_received,
    currency: intent.currency,
    customer: idOf(intent.customer),
    metadata: { payment_id, order_id },
    latest_charge:
      intent.latest_charge && typeof intent.latest_charge === 'object'
        ? await chargeFacts(intent.latest_charge)
        : intent.latest_charge,
    last_payment_error: failure ? { code: failure.code, decline_code: failure.decline_code } : null,
  }
}

async function chargeFacts(charge: Stripe.Charge): Promise<ChargeFacts> {
  const card = charge.payment_method_details?.card
  return {
    object: 'charge',
    id: charge.id,
    payment_intent: idOf(charge.payment_intent),
    status: charge.status,
    captured: charge.captured,
    amount_captured: charge.amount_captured,
    currency: charge.currency,
    failure_code: charge.failure_code,
    decline_code: charge.outcome?.reason ?? null,
    card: card
      ? {
          brand: card.brand,
          last4: card.last4,
          exp_month: card.exp_month,
          exp_year: card.exp_year,
          country: card.country,
          fingerprint_hash: card.fingerprint ? await sha256(card.fingerprint) : null,
        }
      : null,
  }
}

/** SHA-256 in hex. */
export async function sha256(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data)
  return Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex')
}

function idOf(value: string | { id: string } | null): string | null {
  return typeof value === 'string' ? value : (value?.id ?? null)
}
