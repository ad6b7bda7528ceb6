import { previousAttributes, withGiven } from '../core/changes.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import { recordEvent } from '../events/record.ts'
import { operation } from '../http/operation.ts'
import { boolean, fields, integer, list, oneOf, required, text, unsupported, word } from '../http/params.ts'
import { claimLookupKey, createPrice, getPrice, INTERVALS } from './price.ts'

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
