import 'server-only'
import { z } from 'zod'
import { Changed, forgetAnswer } from '../billing/entitlement-cache'
import type { CheckoutFacts, InvoiceFacts, SubscriptionFacts } from '../billing/facts'
import { fetchCheckout, fetchInvoice, fetchSubscription } from '../billing/fetch-billing'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { askStripe, type Stripe } from '../stripe/server'
import { crashPoint } from './crash-point'
import {
  type DisputeFacts,
  disputeFacts,
  type IntentFacts,
  intentFacts,
  type RefundFacts,
  refundFacts,
} from './facts'

const MAX_FETCHES = 3

const Outcome = z.object({
  outcome: z.enum(['applied', 'stale', 'needs_payment', 'needs_subscription', 'foreign']),
  version: z.number().int(),
  /** Whose entitlements it has changed. */
  entitlements: Changed.optional(),
})

/** What a hint can be about. */
export const SyncKind = z.enum([
  'payment_intent',
  'refund',
  'dispute',
  'subscription',
  'invoice',
  'checkout.session',
])
export type SyncKind = z.infer<typeof SyncKind>

export type SyncSource = 'app' | 'webhook' | 'sync' | 'sweep' | 'reconcile' | 'replay'

type Request = {
  id: string
  /** Our row's version when the caller learned that it may be out of date; 0 for a row not there yet. */
  expectedVersion: number
  source: SyncSource
  /** The event that gave the hint, done with once the object is applied. */
  eventId?: string
}

type Facts = IntentFacts | RefundFacts | DisputeFacts | SubscriptionFacts | InvoiceFacts | CheckoutFacts
type Fetched<Kept> = { facts: Facts; kept: Kept }

/**
 * Make our row say what Stripe says. The one way to ask Stripe for news: webhooks that are hints, the result page, the
 * sweeper and replays all come here.
 * @throws AppError unavailable when an event's row kept moving for three fetches
 */
export async function syncObject({ kind, ...request }: Request & { kind: SyncKind }): Promise<void> {
  switch (kind) {
    case 'payment_intent':
      await syncPaymentIntent(request)
      return
    case 'refund':
      return await converge(request, async () => ({
        facts: refundFacts(await fetchRefund(request.id)),
        kept: undefined,
      }))
    case 'dispute':
      return await converge(request, async () => ({
        facts: disputeFacts(await fetchDispute(request.id)),
        kept: undefined,
      }))
    case 'subscription':
      return await converge(request, async () => ({
        facts: await fetchSubscription(request.id),
        kept: undefined,
      }))
    case 'invoice':
      return await converge(request, async () => ({ facts: await fetchInvoice(request.id), kept: undefined }))
    case 'checkout.session':
      await syncCheckout(request)
  }
}

/** The same for a PaymentIntent whose client secret the caller needs as well: that is returned and kept nowhere. */
export async function syncPaymentIntent(request: Request): Promise<Stripe.PaymentIntent> {
  return await converge(request, async () => {
    const intent = await fetchIntent(request.id)
    return { facts: await intentFacts(intent), kept: intent }
  })
}

/** The same for a Checkout page: first the subscription it has led to. Returns where the page is, while it waits. */
export async function syncCheckout(request: Request): Promise<string | null> {
  return await converge(request, async () => {
    const { facts, subscription, url } = await fetchCheckout(request.id)
    if (subscription && facts.status === 'complete') await syncSubscription(subscription, request.source)
    return { facts, kept: url }
  })
}

/** Apply a refund that Stripe has just made for us. */
export async function applyRefund(refund: Stripe.Refund, source: SyncSource): Promise<void> {
  const { outcome } = await applySnapshot(refundFacts(refund), { id: refund.id, expectedVersion: 0, source })
  // Stale: its event was quicker, and knew as much.
  if (outcome === 'needs_payment') throw new AppError('unavailable')
}

/**
 * Fetch, apply unless the row has moved in between, else fetch again. A row that has moved each time holds what somebody asked
 * Stripe for after we began: the version they started from was written since. It is as new as anybody wants, and only an event
 * has to come again, to be done with.
 */
async function converge<Kept>(request: Request, fetch: () => Promise<Fetched<Kept>>): Promise<Kept> {
  let { expectedVersion } = request
  let overtaken = 0
  for (let fetches = 1; ; fetches++) {
    const { facts, kept } = await fetch()
    if (request.eventId) crashPoint('event.fetched')
    const { outcome, version } = await applySnapshot(facts, { ...request, expectedVersion })
    if (outcome === 'applied' || outcome === 'foreign') return kept
    if (outcome === 'stale') overtaken++
    if (overtaken === MAX_FETCHES && !request.eventId) return kept
    if (fetches === MAX_FETCHES) throw new AppError('unavailable', { retryAfterSeconds: 1 })
    if (outcome === 'needs_payment') await syncPaymentOf(facts, request.source)
    if (outcome === 'needs_subscription') await syncSubscriptionOf(facts, request.source)
    expectedVersion = version
  }
}

/** A refund or dispute of a payment that is not known here yet. */
async function syncPaymentOf(facts: Facts, source: SyncSource): Promise<void> {
  const intentId = 'payment_intent' in facts ? facts.payment_intent : null
  if (!intentId) throw new AppError('unavailable')
  await syncPaymentIntent({ id: intentId, expectedVersion: 0, source })
}

/** An invoice of a subscription that is not known here yet. */
async function syncSubscriptionOf(facts: Facts, source: SyncSource): Promise<void> {
  const id = 'subscription' in facts ? facts.subscription : null
  if (!id) throw new AppError('unavailable')
  await syncSubscription(id, source)
}

async function syncSubscription(id: string, source: SyncSource): Promise<void> {
  await syncObject({ kind: 'subscription', id, expectedVersion: 0, source })
}

async function applySnapshot(facts: Facts, request: Request): Promise<z.infer<typeof Outcome>> {
  const answer = Outcome.parse(
    await callService('apply_snapshot', {
      p_livemode: env().livemode,
      p_object: { json: facts },
      p_expected_version: request.expectedVersion,
      p_event_id: request.eventId ?? null,
      p_source: request.source,
    }),
  )
  if (answer.entitlements) await forgetAnswer(answer.entitlements)
  return answer
}

async function fetchIntent(id: string): Promise<Stripe.PaymentIntent> {
  const expand = ['latest_charge.balance_transaction']
  return await askStripe((stripe) => stripe.paymentIntents.retrieve(id, { expand }))
}

async function fetchRefund(id: string): Promise<Stripe.Refund> {
  const expand = ['balance_transaction', 'failure_balance_transaction']
  return await askStripe((stripe) => stripe.refunds.retrieve(id, { expand }))
}

async function fetchDispute(id: string): Promise<Stripe.Dispute> {
  return await askStripe((stripe) => stripe.disputes.retrieve(id))
}
