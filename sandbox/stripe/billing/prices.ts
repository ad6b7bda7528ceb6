import type Stripe from 'stripe'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { findCurrency, formatAmount } from '../core/currencies.ts'
import { newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import {
  boolean,
  fields,
  integer,
  list,
  oneOf,
  type ReadParams,
  required,
  text,
  unsupported,
  word,
} from '../http/params.ts'
import { decimalText } from './decimal.ts'
import { createProduct, getProduct } from './product.ts'

const INTERVALS = ['day', 'week', 'month', 'year'] as const
const MOST_UNITS = 99_999_999

const recurringFields = fields({
  interval: required(oneOf(...INTERVALS)),
  interval_count: integer({ min: 1, max: 1095 }),
})

const money = {
  currency: required(word()),
  unit_amount: integer({ min: 0, max: MOST_UNITS }),
  ...unsupported('unit_amount_decimal'),
}

const taxBehavior = oneOf('exclusive', 'inclusive', 'unspecified')

const oneScheme = unsupported('currency_options', 'custom_unit_amount')

/** `default_price_data` of a product. */
export const inlinePriceParams = {
  ...money,
  metadata: metadata(),
  recurring: recurringFields,
  tax_behavior: taxBehavior,
  ...oneScheme,
}

const productData = fields({
  name: required(word()),
  active: boolean(),
  id: word(),
  metadata: metadata(),
  statement_descriptor: text({ max: 22 }),
  unit_label: text(),
  ...unsupported('tax_code', 'tax_details'),
})

/** `price_data` of a subscription's item. */
export const recurringPriceData = fields({
  ...money,
  product: required(word()),
  recurring: required(recurringFields),
  tax_behavior: taxBehavior,
})

/** `price_data` of a Checkout line item, which may bring its product along. */
export const linePriceData = fields({
  ...money,
  product: word(),
  product_data: fields({
    name: required(word()),
    description: text(),
    images: list(word(), { max: 8 }),
    metadata: metadata(),
    unit_label: text(),
    ...unsupported('tax_code', 'tax_details'),
  }),
  recurring: recurringFields,
  tax_behavior: taxBehavior,
})

export const priceOperations = [
  operation({
    method: 'POST',
    path: '/v1/prices',
    params: {
      ...money,
      active: boolean(),
      lookup_key: word(),
      metadata: metadata(),
      nickname: text(),
      product: word(),
      product_data: productData,
      recurring: fields({
        interval: required(oneOf(...INTERVALS)),
        interval_count: integer({ min: 1, max: 1095 }),
        usage_type: oneOf('licensed'),
        ...unsupported('meter', 'trial_period_days'),
      }),
      billing_scheme: oneOf('per_unit'),
      tax_behavior: taxBehavior,
      transfer_lookup_key: boolean(),
      ...oneScheme,
      ...unsupported('tiers', 'tiers_mode', 'transform_quantity'),
    },
    handle: (call, params) => createPrice(call, params),
  }),
  operation({
    method: 'GET',
    path: '/v1/prices/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getPrice(store, id, 404),
  }),
  operation({
    method: 'POST',
    path: '/v1/prices/:id',
    params: {
      active: boolean(),
      lookup_key: text(),
      metadata: metadata(),
      nickname: text(),
      tax_behavior: taxBehavior,
      transfer_lookup_key: boolean(),
      ...unsupported('currency_options'),
    },
    handle(call, { transfer_lookup_key, metadata, ...given }, { id }) {
      const before = getPrice(call.store, id, 404)
      if (given.lookup_key) claimLookupKey(call, given.lookup_key, id, transfer_lookup_key ?? false)
      const after = withGiven(before, { ...given, metadata: mergeMetadata(before.metadata, metadata) })
      call.store.save('price', after)
      const changed = previousAttributes(before, after)
      if (changed) recordEvent(call, 'price.updated', after, changed)
      return after
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/prices',
    params: {
      ...listParams,
      active: boolean(),
      currency: word(),
      lookup_keys: list(word(), { max: 10 }),
      product: word(),
      type: oneOf('one_time', 'recurring'),
      recurring: fields({
        interval: oneOf(...INTERVALS),
        usage_type: oneOf('licensed'),
        ...unsupported('meter'),
      }),
    },
    handle({ store }, { active, currency, lookup_keys, product, type, recurring, ...page }) {
      const equal = Object.entries({ currency, product, type, 'recurring.interval': recurring?.interval })
      const conditions = [
        ...equal.flatMap(([name, value]) =>
          value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
        ),
        ...(active === undefined ? [] : [{ sql: "data ->> '$.active' = ?", values: [active ? 1 : 0] }]),
        ...(lookup_keys
          ? [
              {
                sql: `data ->> '$.lookup_key' in (${lookup_keys.map(() => '?').join(', ')})`,
                values: lookup_keys,
              },
            ]
          : []),
      ]
      return listObjects(store, 'price', '/v1/prices', page, conditions)
    },
  }),
]

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
function claimLookupKey(call: Call, key: string, claimant: string, transfer: boolean): void {
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
