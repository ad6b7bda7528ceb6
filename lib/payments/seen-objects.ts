import 'server-only'
import { askStripe, isNotFound, type Stripe } from '../stripe/server'
import { refundFacts } from './facts'
import type { ComparedKind, SeenObject } from './reconcile-run'

const PAGE = 100

type Page = { objects: SeenObject[]; next: string | null }

/** A page of what was created at Stripe since then, newest first. `next` is the `after` of the next page. */
export async function listObjects(kind: ComparedKind, since: Date, after?: string): Promise<Page> {
  const query = {
    created: { gte: Math.floor(since.getTime() / 1000) },
    limit: PAGE,
    ...(after && { starting_after: after }),
  }
  switch (kind) {
    case 'payment_intent': {
      const expand = ['data.latest_charge']
      return pageOf(await askStripe((stripe) => stripe.paymentIntents.list({ ...query, expand })), seenIntent)
    }
    case 'refund':
      return pageOf(await askStripe((stripe) => stripe.refunds.list(query)), (refund) =>
        // The release of money that was only reserved: none came, so none goes back.
        refundFacts(refund).is_release ? [] : seenRefund(refund),
      )
    case 'dispute':
      return pageOf(await askStripe((stripe) => stripe.disputes.list(query)), seenDispute)
    case 'subscription':
      return pageOf(
        await askStripe((stripe) => stripe.subscriptions.list({ ...query, status: 'all' })),
        seenSubscription,
      )
    case 'balance_transaction': {
      const expand = ['data.source']
      return pageOf(
        await askStripe((stripe) => stripe.balanceTransactions.list({ ...query, expand })),
        seenTransaction,
      )
    }
  }
}

/** One object as it is now at Stripe, or that it is not there. */
export async function fetchObject(kind: ComparedKind, id: string): Promise<SeenObject> {
  try {
    switch (kind) {
      case 'payment_intent': {
        const expand = ['latest_charge']
        return seenIntent(await askStripe((stripe) => stripe.paymentIntents.retrieve(id, { expand })))
      }
      case 'refund':
        return seenRefund(await askStripe((stripe) => stripe.refunds.retrieve(id)))
      case 'dispute':
        return seenDispute(await askStripe((stripe) => stripe.disputes.retrieve(id)))
      case 'subscription':
        return seenSubscription(await askStripe((stripe) => stripe.subscriptions.retrieve(id)))
      case 'balance_transaction': {
        const expand = ['source']
        return seenTransaction(
          await askStripe((stripe) => stripe.balanceTransactions.retrieve(id, { expand })),
        )
      }
    }
  } catch (error) {
    if (isNotFound(error)) return { kind, id, gone: true }
    throw error
  }
}

/** All refunds of a PaymentIntent, by id. */
export async function refundsOfIntent(intentId: string): Promise<string[]> {
  const refunds = await askStripe((stripe) =>
    stripe.refunds.list({ payment_intent: intentId, limit: PAGE }).autoPagingToArray({ limit: 1000 }),
  )
  return refunds.map(({ id }) => id)
}

function pageOf<Listed extends { id: string }>(
  list: { data: Listed[]; has_more: boolean },
  seen: (object: Listed) => SeenObject | SeenObject[],
): Page {
  return { objects: list.data.flatMap(seen), next: list.has_more ? (list.data.at(-1)?.id ?? null) : null }
}

function seenIntent(intent: Stripe.PaymentIntent): SeenObject {
  return {
    kind: 'payment_intent',
    id: intent.id,
    status: intent.status,
    amount: intent.amount,
    received: intent.amount_received,
    refunded: refundedOf(intent.latest_charge),
    currency: intent.currency,
    named_payment: intent.metadata.payment_id ?? null,
  }
}

/** Minor units. What was reserved and not captured counts as refunded at Stripe; none of it was ever here. */
function refundedOf(charge: Stripe.PaymentIntent['latest_charge']): number {
  if (charge === null || typeof charge !== 'object') return 0
  return Math.max(0, charge.amount_refunded - (charge.amount - charge.amount_captured))
}

function seenRefund({ id, status, amount, currency, payment_intent }: Stripe.Refund): SeenObject {
  // As in the database: a refund Stripe gives no status.
  const known = status ?? 'unknown'
  return { kind: 'refund', id, status: known, amount, currency, payment_intent: idOf(payment_intent) }
}

function seenDispute({ id, status, amount, currency, payment_intent }: Stripe.Dispute): SeenObject {
  return { kind: 'dispute', id, status, amount, currency, payment_intent: idOf(payment_intent) }
}

function seenSubscription({ id, status }: Stripe.Subscription): SeenObject {
  return { kind: 'subscription', id, status }
}

function seenTransaction({ id, net, currency, source }: Stripe.BalanceTransaction): SeenObject {
  return { kind: 'balance_transaction', id, amount: net, currency, ...sourceOf(source) }
}

/** What to fetch for a balance transaction. A charge without a PaymentIntent can be none of ours; payouts and fees are about nothing. */
function sourceOf(
  source: Stripe.BalanceTransaction['source'],
): Pick<SeenObject, 'source_kind' | 'source' | 'payment_intent'> {
  if (source === null || typeof source === 'string') return {}
  if (source.object === 'charge') {
    const payment_intent = idOf(source.payment_intent)
    return payment_intent
      ? { source_kind: 'payment_intent', source: payment_intent, payment_intent }
      : { source_kind: 'charge', source: source.id }
  }
  if (source.object === 'refund' || source.object === 'dispute') {
    return { source_kind: source.object, source: source.id, payment_intent: idOf(source.payment_intent) }
  }
  return {}
}

function idOf(value: string | { id: string } | null | undefined): string | null {
  return typeof value === 'string' ? value : (value?.id ?? null)
}
