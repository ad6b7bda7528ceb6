import type Stripe from 'stripe'
import { findCurrency, formatAmount } from '../core/currencies.ts'
import { newId } from '../core/ids.ts'
import { mergeMetadata, type metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, noSuch } from '../http/errors.ts'
import type { ReadParams } from '../http/params.ts'
import { decimalText } from './decimal.ts'
import { createProduct, getProduct } from './product.ts'

export const INTERVALS = ['day', 'week', 'month', 'year'] as const

export type NewPrice = {
  currency: string
  unit_amount: number | undefined
  active?: boolean | undefined
  lookup_key?: string | undefined
  metadata?: ReadParams<{ metadata: ReturnType<typeof metadata> }>['metadata']
  nickname?: string | null | undefined
  product?: string | undefined
  product_data?: ({ name: string } & Partial<Parameters<typeof createProduct>[1]>) | undefined
  recurring?: { interval: (typeof INTERVALS)[number]; interval_count: number | undefined } | undefined
  tax_behavior?: 'exclusive' | 'inclusive' | 'unspecified' | undefined
  transfer_lookup_key?: boolean | undefined
}

/** @throws StripeError for an unknown product or currency, or a lookup key that another price has. */
export function createPrice(call: Call, given: NewPrice): Stripe.Price {
  const { store } = call
  const currency = given.currency.toLowerCase()
  if (!findCurrency(currency))
    throw invalidParameter('currency', `Invalid currency: ${currency.slice(0, 10)}`)
  if (given.unit_amount === undefined) throw missingParameter('unit_amount')
  if (!given.product && !given.product_data) throw missingParameter('product')
  const product = given.product_data
    ? createProduct(call, given.product_data)
    : getProduct(store, given.product ?? '', 400)

  const price: Stripe.Price = {
    id: newId('price'),
    object: 'price',
    active: given.active ?? true,
    billing_scheme: 'per_unit',
    created: store.clock.now(),
    currency,
    custom_unit_amount: null,
    livemode: false,
    lookup_key: given.lookup_key ?? null,
    metadata: mergeMetadata({}, given.metadata),
    nickname: given.nickname ?? null,
    product: product.id,
    recurring: given.recurring
      ? {
          interval: given.recurring.interval,
          interval_count: given.recurring.interval_count ?? 1,
          meter: null,
          trial_period_days: null,
          usage_type: 'licensed',
        }
      : null,
    tax_behavior: given.tax_behavior ?? 'unspecified',
    tiers_mode: null,
    transform_quantity: null,
    type: given.recurring ? 'recurring' : 'one_time',
    unit_amount: given.unit_amount,
    unit_amount_decimal: decimalText(given.unit_amount),
  }
  if (price.lookup_key) claimLookupKey(call, price.lookup_key, price.id, given.transfer_lookup_key ?? false)
  store.insert('price', price, {})
  recordEvent(call, 'price.created', price)
  return price
}

export function getPrice(store: Store, id: string, status: 400 | 404, param = 'price'): Stripe.Price {
  const found = store.find('price', id)
  if (!found) throw noSuch('price', id, status === 404 ? 'id' : param, status)
  return found.object
}

/** Minor units for one; prices without an amount do not exist here. */
export const unitAmount = (price: Stripe.Price): number => price.unit_amount ?? 0

/** `$10.00 / month` */
export function describePrice({ unit_amount, currency, recurring }: Stripe.Price): string {
  const amount = formatAmount(unit_amount ?? 0, currency)
  if (!recurring) return amount
  const { interval, interval_count: count } = recurring
  return count === 1 ? `${amount} / ${interval}` : `${amount} every ${count} ${interval}s`
}

export function productName(store: Store, price: Stripe.Price): string {
  const product = store.find('product', idOf(price.product) ?? '')
  return product?.object.name ?? 'Unknown product'
}

/** The older shape of a recurring price, which subscription items still carry. */
export function toPlan(price: Stripe.Price): Stripe.Plan {
  const { recurring } = price
  if (!recurring) throw new Error(`${price.id} is not recurring`)
  return {
    id: price.id,
    object: 'plan',
    active: price.active,
    amount: price.unit_amount,
    amount_decimal: price.unit_amount_decimal,
    billing_scheme: price.billing_scheme,
    created: price.created,
    currency: price.currency,
    interval: recurring.interval,
    interval_count: recurring.interval_count,
    livemode: false,
    metadata: price.metadata,
    meter: null,
    nickname: price.nickname,
    product: idOf(price.product),
    tiers_mode: null,
    transform_usage: null,
    trial_period_days: null,
    usage_type: recurring.usage_type,
  }
}

/** A lookup key stands for one price; it moves to another only when asked to. */
export function claimLookupKey(call: Call, key: string, claimant: string, transfer: boolean): void {
  const [holder] = call.store.select('price', [
    { sql: "data ->> '$.lookup_key' = ? and id <> ?", values: [key, claimant] },
  ])
  if (!holder) return
  if (!transfer) {
    throw invalidParameter(
      'lookup_key',
      `A price (\`${holder.object.id}\`) already uses that lookup key.`,
      'resource_already_exists',
    )
  }
  const released = call.store.save('price', { ...holder.object, lookup_key: null })
  recordEvent(call, 'price.updated', released, { lookup_key: key })
}
