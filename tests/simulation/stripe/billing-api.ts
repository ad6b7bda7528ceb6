import type { Stripe } from '@/lib/stripe/server'
import { hasEnded, type ModelSubscription } from './billing-objects'
import type { StripeModel } from './model'
import { found, Refusal } from './refusal'
import { renderedInvoice, renderedSession, renderedSubscription } from './rendered-billing'

type PriceRequest = { product: string; currency: string; unit_amount: number }
type Options = { idempotencyKey: string }

/** How a request of one sender is answered: with all that can go wrong on the way. */
export type Answering = {
  get: <Result>(read: () => Result) => Result
  post: <Result>(key: string, asked: object, make: () => Result) => Result
  /** What can be done once only, by the state of the object. */
  move: (make: () => unknown) => unknown
}

/** The calls of lib/billing, answered by the model. */
export function billingMethods({ billing }: StripeModel, { get, post, move }: Answering) {
  const session = (id: string) => found(billing.sessions, id)
  return {
    products: {
      retrieve: async (id: string) =>
        get(() => {
          if (!billing.products.has(id)) throw new Refusal('resource_missing')
          return { object: 'product', id }
        }),
      create: async (asked: { id: string }, { idempotencyKey }: Options) =>
        post(idempotencyKey, asked, () => {
          billing.products.add(asked.id)
          return { object: 'product', id: asked.id }
        }),
    },
    prices: {
      create: async (asked: PriceRequest, { idempotencyKey }: Options) =>
        post(idempotencyKey, asked, () => {
          const { currency, unit_amount: amount } = asked
          return { object: 'price', ...billing.createPrice({ currency, amount }) }
        }),
    },
    checkout: {
      sessions: {
        create: async (asked: Stripe.Checkout.SessionCreateParams, { idempotencyKey }: Options) =>
          post(idempotencyKey, asked, () => renderedSession(billing.createSession(sessionRequest(asked)))),
        retrieve: async (id: string) => get(() => renderedSession(session(id))),
        expire: async (id: string) =>
          move(() => {
            if (session(id).status !== 'open') throw new Refusal('checkout_session_not_open')
            billing.expireSession(session(id))
            return renderedSession(session(id))
          }),
      },
    },
    subscriptions: {
      retrieve: async (id: string) => get(() => renderedSubscription(billing.subscription(id))),
      cancel: async (id: string) => move(() => renderedSubscription(endForApp(billing.subscription(id)))),
    },
    invoices: {
      retrieve: async (id: string) =>
        get(() => {
          const invoice = found(billing.invoices, id)
          const { customer } = billing.subscription(invoice.subscriptionId)
          return renderedInvoice(invoice, { customer, intent: billing.intentOf(invoice) })
        }),
    },
  }

  function endForApp(subscription: ModelSubscription): ModelSubscription {
    if (!hasEnded(subscription)) subscription.endedByApp++
    billing.end(subscription)
    return subscription
  }
}

function sessionRequest({ customer, line_items, metadata, expires_at }: Stripe.Checkout.SessionCreateParams) {
  return {
    customer: customer ?? '',
    price: line_items?.[0]?.price ?? '',
    metadata: metadata as Record<string, string>,
    expiresAt: expires_at ?? 0,
  }
}
