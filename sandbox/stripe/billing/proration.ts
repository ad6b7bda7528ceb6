import type Stripe from 'stripe'
import type { Store } from '../core/store.ts'
import { type Line, subscriptionLine } from './invoice-lines.ts'
import { productName, unitAmount } from './price.ts'

type Item = Stripe.SubscriptionItem

/**
 * What is given back for the rest of the period, and what is asked for it instead, to the second. Items that stay as they were bring
 * nothing, unless a new period begins for all of them (`credits`).
 */
export function prorationLines(
  store: Store,
  subscription: Stripe.Subscription,
  after: Item[],
  at: number,
  which: 'both' | 'credits',
): Line[] {
  return [
    ...subscription.items.data.flatMap((item) => {
      const next = after.find(({ id }) => id === item.id)
      const same = next && next.price.id === item.price.id && next.quantity === item.quantity
      return same && which === 'both' ? [] : [prorated(store, subscription, item, at, 'unused')]
    }),
    ...after.flatMap((item) => {
      const before = subscription.items.data.find(({ id }) => id === item.id)
      const same = before && before.price.id === item.price.id && before.quantity === item.quantity
      return same || which === 'credits' ? [] : [prorated(store, subscription, item, at, 'remaining')]
    }),
  ]
}

function prorated(
  store: Store,
  subscription: Stripe.Subscription,
  item: Item,
  at: number,
  part: 'unused' | 'remaining',
): Line {
  const { current_period_start: start, current_period_end: end } = item
  const quantity = item.quantity ?? 1
  const share = Math.min(Math.max((end - at) / (end - start), 0), 1)
  const amount = Math.round(unitAmount(item.price) * quantity * share)
  const date = new Date(at * 1000).toISOString().slice(0, 10)
  const name = `${quantity} × ${productName(store, item.price)}`
  return subscriptionLine(store, {
    item,
    subscription: subscription.id,
    period: { start: at, end },
    amountMinor: part === 'unused' ? -amount : amount,
    description:
      part === 'unused' ? `Unused time on ${name} after ${date}` : `Remaining time on ${name} after ${date}`,
    proration: true,
  })
}
