import type Stripe from 'stripe'
import { getCoupon } from '../billing/coupons.ts'
import { amountOff } from '../billing/discounts.ts'
import { createPrice, getPrice, productName, unitAmount } from '../billing/price.ts'
import { assertTogether } from '../billing/subscriptions.ts'
import { newId } from '../core/ids.ts'
import { mergeMetadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter } from '../http/errors.ts'
import type { ReadParams } from '../http/params.ts'
import type { createParams } from './session-params.ts'

type Given = NonNullable<ReadParams<typeof createParams>['line_items']>[number]
type Mode = 'payment' | 'setup' | 'subscription'

/** @throws StripeError for prices that do not fit the mode, or each other. */
export function readLineItems(call: Call, mode: Mode, given: Given[]): Stripe.LineItem[] {
  const items = given.map((item, index) => lineItem(call, item, `line_items[${index}]`))
  const recurring = items.flatMap(({ price }) => (price?.recurring ? [price] : []))
  if (mode === 'payment' && recurring.length > 0) {
    throw invalidParameter(
      'line_items',
      'You specified `payment` mode but passed a recurring price. Either switch to `subscription` mode or use only one-time prices.',
    )
  }
  if (mode === 'subscription' && recurring.length === 0) {
    throw invalidParameter(
      'line_items',
      'You must provide at least one recurring price in `subscription` mode.',
    )
  }
  assertTogether(recurring)
  const currencies = new Set(items.map(({ currency }) => currency))
  if (currencies.size > 1) {
    throw invalidParameter('line_items', 'All line items must have the same currency.')
  }
  return items
}

/** What the items come to when the coupons are taken off. */
export function pricedItems(
  store: Store,
  items: Stripe.LineItem[],
  discounts: readonly { coupon: string }[],
): Stripe.LineItem[] {
  const coupons = discounts.map(({ coupon }) => ({ coupon: getCoupon(store, coupon, 400), spent: 0 }))
  return items.map((item) => {
    let left = item.amount_subtotal
    for (const one of coupons) {
      const off = amountOff(one.coupon, left, item.currency)
      const allowed = one.coupon.amount_off === null ? off : Math.min(off, one.coupon.amount_off - one.spent)
      one.spent += allowed
      left -= allowed
    }
    return { ...item, amount_discount: item.amount_subtotal - left, amount_total: left }
  })
}

export function totals(items: Stripe.LineItem[]) {
  const sum = (name: 'amount_discount' | 'amount_subtotal' | 'amount_total') =>
    items.reduce((total, item) => total + item[name], 0)
  return {
    amount_subtotal: sum('amount_subtotal'),
    amount_total: sum('amount_total'),
    total_details: { amount_discount: sum('amount_discount'), amount_shipping: 0, amount_tax: 0 },
  }
}

function lineItem(call: Call, given: Given, param: string): Stripe.LineItem {
  if (!given.price && !given.price_data) throw missingParameter(`${param}[price]`)
  const price = given.price
    ? getPrice(call.store, given.price, 400, `${param}[price]`)
    : inlinePrice(call, given, param)
  if (given.price && !price.active) {
    throw invalidParameter(`${param}[price]`, `The price ${price.id} is inactive.`)
  }
  if (given.quantity === undefined) throw missingParameter(`${param}[quantity]`)
  const amount = unitAmount(price) * given.quantity
  return {
    id: newId('checkout_item'),
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: price.currency,
    description: productName(call.store, price),
    metadata: mergeMetadata({}, given.metadata),
    price,
    quantity: given.quantity,
  }
}

/** A price that is described in place is made for this session, and not for sale otherwise. */
function inlinePrice(call: Call, { price_data: data }: Given, param: string): Stripe.Price {
  if (!data) throw missingParameter(`${param}[price_data]`)
  if (!data.product && !data.product_data) throw missingParameter(`${param}[price_data][product_data]`)
  return createPrice(call, { ...data, active: false })
}
