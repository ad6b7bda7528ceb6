import type Stripe from 'stripe'
import { previousAttributes } from '../core/changes.ts'
import { listObjects, listParams } from '../core/list.ts'
import { recordEvent } from '../events/record.ts'
import { StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { boolean, fields, list, required, unsupported, word } from '../http/params.ts'
import { createPrice } from './price.ts'
import { inlinePriceParams } from './prices.ts'
import { createProduct, getProduct, productParams, withProductFields } from './product.ts'

export const productOperations = [
  operation({
    method: 'POST',
    path: '/v1/products',
    params: {
      ...productParams,
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
    params: { ...productParams, name: word(), default_price: word() },
    handle(call, { default_price, name, ...given }, { id }) {
      const before = getProduct(call.store, id)
      const after = {
        ...withProductFields(before, { ...given, name }),
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
