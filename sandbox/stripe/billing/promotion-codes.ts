import type Stripe from 'stripe'
import { newId, randomText } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import {
  boolean,
  fields,
  integer,
  oneOf,
  type ReadParams,
  required,
  unsupported,
  word,
} from '../http/params.ts'
import { referencedCustomer } from '../payments/find-customer.ts'
import { getCoupon } from './coupons.ts'

const createParams = {
  promotion: required(fields({ type: required(oneOf('coupon')), coupon: word() })),
  active: boolean(),
  code: word(),
  customer: word(),
  expires_at: integer(),
  max_redemptions: integer({ min: 1 }),
  metadata: metadata(),
  ...unsupported('customer_account', 'restrictions'),
}

export const promotionCodeOperations = [
  operation({ method: 'POST', path: '/v1/promotion_codes', params: createParams, handle: create }),
  operation({
    method: 'GET',
    path: '/v1/promotion_codes/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getPromotionCode(store, id, 404),
  }),
  operation({
    method: 'GET',
    path: '/v1/promotion_codes',
    params: {
      ...listParams,
      active: boolean(),
      code: word(),
      coupon: word(),
      customer: word(),
      ...unsupported('customer_account'),
    },
    handle({ store }, { active, code, coupon, customer, ...page }) {
      const equal = Object.entries({ code, 'promotion.coupon': coupon, customer })
      const conditions = equal.flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      const byActive =
        active === undefined ? [] : [{ sql: "data ->> '$.active' = ?", values: [active ? 1 : 0] }]
      return listObjects(store, 'promotion_code', '/v1/promotion_codes', page, [...conditions, ...byActive])
    },
  }),
]

export function getPromotionCode(store: Store, id: string, status: 400 | 404): Stripe.PromotionCode {
  const found = store.find('promotion_code', id)
  if (!found) throw noSuch('promotion code', id, 'promotion_code', status)
  return found.object
}

/** What a customer typed; null when there is no code like it that can be used now. Case does not matter. */
export function findActiveCode(store: Store, typed: string): Stripe.PromotionCode | null {
  const [found] = store.select('promotion_code', [
    { sql: "lower(data ->> '$.code') = ? and data ->> '$.active' = 1", values: [typed.trim().toLowerCase()] },
  ])
  if (!found) return null
  const { expires_at, max_redemptions, times_redeemed } = found.object
  const expired = expires_at !== null && expires_at < store.clock.now()
  const usedUp = max_redemptions !== null && times_redeemed >= max_redemptions
  return expired || usedUp ? null : found.object
}

function create(call: Call, given: ReadParams<typeof createParams>): Stripe.PromotionCode {
  const { store } = call
  if (!given.promotion.coupon) throw missingParameter('promotion[coupon]')
  const coupon = getCoupon(store, given.promotion.coupon, 400, 'promotion[coupon]')
  const code = given.code ?? randomText(8).toUpperCase()
  if (findActiveCode(store, code)) {
    throw invalidParameter(
      'code',
      'An active promotion code with this code already exists.',
      'resource_already_exists',
    )
  }
  const promotionCode: Stripe.PromotionCode = {
    id: newId('promotion_code'),
    object: 'promotion_code',
    active: given.active ?? true,
    code,
    created: store.clock.now(),
    customer: given.customer ? referencedCustomer(store, given.customer).id : null,
    customer_account: null,
    expires_at: given.expires_at ?? null,
    livemode: false,
    max_redemptions: given.max_redemptions ?? null,
    metadata: mergeMetadata({}, given.metadata),
    promotion: { coupon: coupon.id, type: 'coupon' },
    restrictions: { first_time_transaction: false, minimum_amount: null, minimum_amount_currency: null },
    times_redeemed: 0,
  }
  store.insert('promotion_code', promotionCode, {})
  recordEvent(call, 'promotion_code.created', promotionCode)
  return promotionCode
}
