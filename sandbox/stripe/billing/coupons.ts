import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { decimal, integer, oneOf, type ReadParams, text, unsupported, word } from '../http/params.ts'

const createParams = {
  amount_off: integer({ min: 1 }),
  currency: word(),
  duration: oneOf('forever', 'once', 'repeating'),
  duration_in_months: integer({ min: 1 }),
  id: word(),
  max_redemptions: integer({ min: 1 }),
  metadata: metadata(),
  name: text({ max: 40 }),
  percent_off: decimal({ min: 0, max: 100 }),
  redeem_by: integer(),
  ...unsupported('applies_to', 'currency_options'),
}

export const couponOperations = [
  operation({ method: 'POST', path: '/v1/coupons', params: createParams, handle: createCoupon }),
  operation({
    method: 'GET',
    path: '/v1/coupons/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getCoupon(store, id, 404),
  }),
  operation({
    method: 'DELETE',
    path: '/v1/coupons/:id',
    params: {},
    handle(call, _params, { id }) {
      const coupon = getCoupon(call.store, id, 404)
      call.store.markDeleted(id)
      recordEvent(call, 'coupon.deleted', coupon)
      return { id, object: 'coupon', deleted: true } satisfies Stripe.DeletedCoupon
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/coupons',
    params: listParams,
    handle: ({ store }, page) => listObjects(store, 'coupon', '/v1/coupons', page),
  }),
]

/** The coupon as it is now: whether it can still be used depends on the time. */
export function getCoupon(store: Store, id: string, status: 400 | 404, param = 'coupon'): Stripe.Coupon {
  const found = store.find('coupon', id)
  if (!found || found.deleted) throw noSuch('coupon', id, param, status)
  const { object } = found
  const expired = object.redeem_by !== null && object.redeem_by < store.clock.now()
  return { ...object, valid: object.valid && !expired }
}

function createCoupon(call: Call, given: ReadParams<typeof createParams>): Stripe.Coupon {
  const { store } = call
  if ((given.amount_off === undefined) === (given.percent_off === undefined)) {
    throw invalidParameter('percent_off', 'You must provide either percent_off or amount_off, but not both.')
  }
  if (given.amount_off !== undefined && !given.currency) throw missingParameter('currency')
  const duration = given.duration ?? 'once'
  if (duration === 'repeating' && !given.duration_in_months) throw missingParameter('duration_in_months')
  if (given.id && store.find('coupon', given.id)) {
    throw invalidParameter('id', 'Coupon already exists.', 'resource_already_exists')
  }
  const coupon: Stripe.Coupon = {
    id: given.id ?? newId('coupon'),
    object: 'coupon',
    amount_off: given.amount_off ?? null,
    created: store.clock.now(),
    currency: given.amount_off === undefined ? null : (given.currency?.toLowerCase() ?? null),
    duration,
    duration_in_months: duration === 'repeating' ? (given.duration_in_months ?? null) : null,
    livemode: false,
    max_redemptions: given.max_redemptions ?? null,
    metadata: mergeMetadata({}, given.metadata),
    name: given.name ?? null,
    percent_off: given.percent_off ?? null,
    redeem_by: given.redeem_by ?? null,
    times_redeemed: 0,
    valid: true,
  }
  store.insert('coupon', coupon, {})
  recordEvent(call, 'coupon.created', coupon)
  return coupon
}
