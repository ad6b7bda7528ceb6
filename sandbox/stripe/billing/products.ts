import type Stripe from 'stripe'
import { previousAttributes, withGiven } from '../core/changes.ts'
import { newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import {
  boolean,
  clearable,
  fields,
  list,
  type ReadParams,
  required,
  text,
  unsupported,
  word,
} from '../http/params.ts'
import { createPrice, inlinePriceParams } from './prices.ts'

const shared = {
  active: boolean(),
  description: text(),
  images: clearable(list(word(), { max: 8 })),
  marketing_features: clearable(list(fields({ name: required(word()) }), { max: 15 })),
  metadata: metadata(),
  shippable: boolean(),
  statement_descriptor: text({ max: 22 }),
  unit_label: text({ max: 12 }),
  url: text(),
  ...unsupported('package_dimensions', 'tax_code', 'tax_details'),
}

export const productOperations = [
  operation({
    method: 'POST',
    path: '/v1/products',
    params: {
      ...shared,
      id: word(),
      name: required(word()),
      default_price_data: fields(inlinePriceParams),
      ...unsupported('type'),
    },
    handle(call, { default_price_data, id, name, ...given }) {
      const product = createProduct(call, { ...given, id, name })
      if (!default_price_data) return product
      const price = createPrice(call, { ...default_price_data, product: product.id })
      return call.store.save('product', { ...product, default_price: price.id })
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/products/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getProduct(store, id),
  }),
  operation({
    method: 'POST',
    path: '/v1/products/:id',
    params: { ...shared, name: word(), default_price: word() },
    handle(call, { default_price, name, ...given }, { id }) {
      const before = getProduct(call.store, id)
      const after = {
        ...applied(before, { ...given, name }),
        ...(default_price ? { default_price } : {}),
        updated: call.store.clock.now(),
      }
      call.store.save('product', after)
      const changed = previousAttributes(before, after)
      if (changed) recordEvent(call, 'product.updated', after, changed)
      return after
    },
  }),
  operation({
    method: 'DELETE',
    path: '/v1/products/:id',
    params: {},
    handle(call, _params, { id }) {
      const product = getProduct(call.store, id)
      if (call.store.select('price', [{ sql: "data ->> '$.product' = ?", values: [id] }]).length > 0) {
        throw new StripeError(400, {
          type: 'invalid_request_error',
          message: 'This product cannot be deleted because it has one or more user-created prices.',
        })
      }
      call.store.markDeleted(id)
      recordEvent(call, 'product.deleted', product)
      return { id, object: 'product', deleted: true } satisfies Stripe.DeletedProduct
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/products',
    params: { ...listParams, active: boolean(), ids: list(word()), ...unsupported('shippable', 'url') },
    handle({ store }, { active, ids, ...page }) {
      const conditions = [
        ...(active === undefined ? [] : [{ sql: "data ->> '$.active' = ?", values: [active ? 1 : 0] }]),
        ...(ids ? [{ sql: `id in (${ids.map(() => '?').join(', ')})`, values: ids }] : []),
      ]
      return listObjects(store, 'product', '/v1/products', page, conditions)
    },
  }),
]

type Given = Partial<ReadParams<typeof shared>> & { id?: string | undefined; name?: string | undefined }

export function createProduct(call: Call, given: Given & { name: string }): Stripe.Product {
  const { store } = call
  if (given.id && store.find('product', given.id)) {
    throw new StripeError(400, {
      type: 'invalid_request_error',
      code: 'resource_already_exists',
      message: 'Product already exists.',
      param: 'id',
    })
  }
  const product = applied(newProduct(store, given.id ?? newId('product'), given.name), given)
  store.insert('product', product, {})
  recordEvent(call, 'product.created', product)
  return product
}

export function getProduct(store: Store, id: string, status: 400 | 404 = 404): Stripe.Product {
  const found = store.find('product', id)
  if (!found || found.deleted) throw noSuch('product', id, status === 404 ? 'id' : 'product', status)
  return found.object
}

function applied(product: Stripe.Product, { id: _, metadata, images, marketing_features, ...plain }: Given) {
  return withGiven(product, {
    ...plain,
    images: images === null ? [] : images,
    marketing_features: marketing_features === null ? [] : marketing_features,
    metadata: mergeMetadata(product.metadata, metadata),
  })
}

function newProduct(store: Store, id: string, name: string): Stripe.Product {
  const now = store.clock.now()
  return {
    id,
    object: 'product',
    active: true,
    created: now,
    default_price: null,
    description: null,
    images: [],
    livemode: false,
    marketing_features: [],
    metadata: {},
    name,
    package_dimensions: null,
    shippable: null,
    statement_descriptor: null,
    tax_code: null,
    tax_details: null,
    type: 'service',
    unit_label: null,
    updated: now,
    url: null,
  }
}
