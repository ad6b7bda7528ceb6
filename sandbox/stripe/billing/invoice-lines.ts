import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { decimalText } from './decimal.ts'
import { amountOff } from './discounts.ts'
import { describePrice, productName, unitAmount } from './price.ts'

export type Line = Stripe.InvoiceLineItem
export type Period = { start: number; end: number }

type LineOptions = {
  item: Stripe.SubscriptionItem
  subscription: string
  period: Period
  /** Minor units; the price times the quantity unless something else is due. */
  amountMinor?: number
  description?: string
  proration?: boolean
}

/** One line of an invoice for an item of a subscription. */
export function subscriptionLine(store: Store, options: LineOptions): Line {
  const { item, subscription, period, proration = false } = options
  const quantity = item.quantity ?? 1
  const amount = options.amountMinor ?? unitAmount(item.price) * quantity
  const name = productName(store, item.price)
  return {
    ...plainLine(store, item.price, quantity, amount),
    description: options.description ?? `${quantity} × ${name} (at ${describePrice(item.price)})`,
    discountable: !proration,
    metadata: {},
    parent: {
      invoice_item_details: null,
      subscription_item_details: {
        invoice_item: proration ? newId('invoice_item') : null,
        proration,
        proration_details: proration ? { credited_items: null } : null,
        subscription,
        subscription_item: item.id,
      },
      type: 'subscription_item_details',
    },
    period,
    subscription,
  }
}

/** A line for something sold once. */
export function saleLine(store: Store, price: Stripe.Price, quantity: number): Line {
  const now = store.clock.now()
  return {
    ...plainLine(store, price, quantity, unitAmount(price) * quantity),
    description: productName(store, price),
    period: { start: now, end: now },
  }
}

function plainLine(store: Store, price: Stripe.Price, quantity: number, amount: number): Line {
  const now = store.clock.now()
  return {
    id: newId('invoice_line'),
    object: 'line_item',
    amount,
    currency: price.currency,
    description: null,
    discount_amounts: [],
    discountable: true,
    discounts: [],
    invoice: null,
    livemode: false,
    metadata: {},
    parent: null,
    period: { start: now, end: now },
    pretax_credit_amounts: [],
    pricing: {
      price_details: { price: price.id, product: idOf(price.product) ?? '' },
      type: 'price_details',
      unit_amount_decimal: decimalText(unitAmount(price)),
    },
    quantity,
    quantity_decimal: decimalText(quantity),
    subscription: null,
    subtotal: amount,
    taxes: [],
  }
}

export type Totals = {
  lines: Line[]
  subtotal: number
  total: number
  total_discount_amounts: { amount: number; discount: string }[]
}

/** Take the discounts off, line by line; an amount off is used up from line to line. */
export function totalOf(lines: Line[], discounts: { id: string; coupon: Stripe.Coupon }[]): Totals {
  const totals = discounts.map(({ id }) => ({ amount: 0, discount: id }))
  const discounted = lines.map((line) => {
    let left = line.amount
    const amounts = discounts.map(({ id, coupon }, index) => {
      const sum = totals[index]
      const spent = coupon.percent_off === null ? (sum?.amount ?? 0) : 0
      const allowed = coupon.percent_off === null ? Math.max((coupon.amount_off ?? 0) - spent, 0) : left
      const amount = line.discountable ? Math.min(amountOff(coupon, left, line.currency), allowed) : 0
      left -= amount
      if (sum) sum.amount += amount
      return { amount, discount: id }
    })
    return { ...line, discount_amounts: amounts.filter(({ amount }) => amount > 0) }
  })
  const subtotal = lines.reduce((sum, { amount }) => sum + amount, 0)
  const off = totals.reduce((sum, { amount }) => sum + amount, 0)
  return { lines: discounted, subtotal, total: subtotal - off, total_discount_amounts: totals }
}
