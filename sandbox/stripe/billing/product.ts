import type Stripe from 'stripe'
import { withGiven } from '../core/changes.ts'
import { newId } from '../core/ids.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
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

export const productParams = {
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

type Given = Partial<ReadParams<typeof productParams>> & {
  id?: string | undefined
  name?: string | undefined
}

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
  const product = withProductFields(newProduct(store, given.id ?? newId('product'), given.name), given)
  store.insert('product', product, {})
  recordEvent(call, 'product.created', product)
  return product
}

export function getProduct(store: Store, id: string, status: 400 | 404 = 404): Stripe.Product {
  const found = store.find('product', id)
  if (!found || found.deleted) throw noSuch('product', id, status === 404 ? 'id' : 'product', status)
  return found.object
}

export function withProductFields(
  product: Stripe.Product,
  { id: _, metadata, images, marketing_features, ...plain }: Given,
) {
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
