import type Stripe from 'stripe'
import { pageParams } from '../core/list.ts'
import { mergeMetadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import type { Call } from '../http/call.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { required, unsupported, word } from '../http/params.ts'
import { changeSubscription, type ItemChange } from './change-subscription.ts'
import { pageOf } from './embedded-list.ts'
import { itemCreateParams, itemParams } from './subscription-params.ts'
import { getSubscription } from './subscription-status.ts'
import { changing, recurringPrice } from './subscriptions.ts'
import { howToChange } from './update-subscription.ts'

type Item = Stripe.SubscriptionItem

export const subscriptionItemOperations = [
  operation({
    method: 'POST',
    path: '/v1/subscription_items',
    params: { ...itemCreateParams, subscription: required(word()) },
    handle(call, params) {
      const before = getSubscription(call.store, params.subscription, 400)
      const change = {
        id: null,
        price: recurringPrice(call, params, 'items'),
        quantity: params.quantity ?? 1,
      }
      const after = apply(call, before.id, { ...change, deleted: false }, params)
      const known = before.items.data.map(({ id }) => id)
      return after.items.data.find(({ id }) => !known.includes(id))
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/subscription_items/:id',
    params: {},
    handle: ({ store }, _params, { id }) => find(store, id).item,
  }),
  operation({
    method: 'POST',
    path: '/v1/subscription_items/:id',
    params: itemParams,
    handle(call, params, { id }) {
      const { subscription } = find(call.store, id)
      const price = params.price || params.price_data ? recurringPrice(call, params, 'items') : null
      const metadata = mergeMetadata({}, params.metadata)
      const change = { id, price, quantity: params.quantity ?? null, deleted: false, metadata }
      const after = apply(call, subscription.id, change, params)
      return after.items.data.find((item) => item.id === id)
    },
  }),
  operation({
    method: 'DELETE',
    path: '/v1/subscription_items/:id',
    params: {
      payment_behavior: itemParams.payment_behavior,
      proration_behavior: itemParams.proration_behavior,
      proration_date: itemParams.proration_date,
      ...unsupported('clear_usage'),
    },
    handle(call, params, { id }) {
      const { subscription } = find(call.store, id)
      apply(call, subscription.id, { id, price: null, quantity: null, deleted: true }, params)
      return { id, object: 'subscription_item', deleted: true } satisfies Stripe.DeletedSubscriptionItem
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/subscription_items',
    params: { ...pageParams, subscription: required(word()) },
    handle({ store }, { subscription, ...page }) {
      const { items } = getSubscription(store, subscription, 400)
      return pageOf(`/v1/subscription_items?subscription=${subscription}`, items.data, page)
    },
  }),
]

function apply(
  call: Call,
  subscription: string,
  change: ItemChange,
  params: Parameters<typeof howToChange>[0],
): Stripe.Subscription {
  return changing(call, subscription, (before) =>
    changeSubscription(call, before, {
      items: [change],
      ...howToChange(params),
      restart: false,
      trialEnd: undefined,
      fields: {},
    }),
  )
}

function find(store: Store, id: string): { subscription: Stripe.Subscription; item: Item } {
  const [found] = store.select('subscription', [
    {
      sql: "exists (select 1 from json_each(data, '$.items.data') where value ->> '$.id' = ?)",
      values: [id],
    },
  ])
  const item = found?.object.items.data.find((one) => one.id === id)
  if (!found || !item) throw noSuch('subscription item', id, 'item', 404)
  return { subscription: found.object, item }
}
