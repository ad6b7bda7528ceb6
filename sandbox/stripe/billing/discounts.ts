import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { invalidParameter } from '../http/errors.ts'
import { clearable, fields, list, unsupported, word } from '../http/params.ts'
import { getCoupon } from './coupons.ts'
import { addIntervals } from './periods.ts'
import { getPromotionCode } from './promotion-codes.ts'

/** `discounts` of a subscription or a Checkout Session. */
export const discountsParam = clearable(
  list(fields({ coupon: word(), promotion_code: word(), ...unsupported('discount') }), { max: 20 }),
)

/** What is given off, and through which code. */
export type Redemption = { coupon: Stripe.Coupon; promotionCode: string | null }

/** @throws StripeError for what is unknown or cannot be used any more. */
export function readRedemption(
  store: Store,
  { coupon, promotion_code }: { coupon?: string | undefined; promotion_code?: string | undefined },
): Redemption {
  if ((coupon === undefined) === (promotion_code === undefined)) {
    throw invalidParameter(
      'discounts',
      'Each discount needs a coupon or a promotion_code, and only one of them.',
    )
  }
  const code = promotion_code ? getPromotionCode(store, promotion_code, 400) : null
  if (code && !code.active) throw invalidParameter('discounts', 'This promotion code is inactive.')
  const found = getCoupon(store, coupon ?? idOf(code?.promotion.coupon) ?? '', 400)
  if (!found.valid) throw invalidParameter('discounts', `Coupon expired: ${found.id}`, 'coupon_expired')
  return { coupon: found, promotionCode: code?.id ?? null }
}

/** Give a subscription's customer a discount; it ends after the coupon's months. */
export function redeem(
  store: Store,
  { coupon, promotionCode }: Redemption,
  owner: { customer: string; subscription: string; checkoutSession?: string },
): Stripe.Discount {
  const start = store.clock.now()
  const discount: Stripe.Discount = {
    id: newId('discount'),
    object: 'discount',
    checkout_session: owner.checkoutSession ?? null,
    customer: owner.customer,
    customer_account: null,
    end:
      coupon.duration === 'repeating' ? addIntervals(start, 'month', coupon.duration_in_months ?? 1) : null,
    invoice: null,
    invoice_item: null,
    promotion_code: promotionCode,
    source: { coupon: coupon.id, type: 'coupon' },
    start,
    subscription: owner.subscription,
    subscription_item: null,
  }
  store.insert('discount', discount, {})
  countRedemption(store, { coupon, promotionCode })
  return discount
}

export function countRedemption(store: Store, { coupon, promotionCode }: Redemption): void {
  const times_redeemed = coupon.times_redeemed + 1
  const usedUp = coupon.max_redemptions !== null && times_redeemed >= coupon.max_redemptions
  store.save('coupon', { ...coupon, times_redeemed, valid: coupon.valid && !usedUp })
  const code = promotionCode ? store.find('promotion_code', promotionCode) : null
  if (!code) return
  store.save('promotion_code', { ...code.object, times_redeemed: code.object.times_redeemed + 1 })
}

/** The coupons of these discounts that count for an invoice made now. One that is for once only counts on the first. */
export function couponsInForce(
  store: Store,
  discounts: readonly (string | { id: string })[],
  isFirstInvoice: boolean,
): { id: string; coupon: Stripe.Coupon }[] {
  return discounts.flatMap((reference) => {
    const discount = store.find('discount', idOf(reference) ?? '')?.object
    const coupon = discount && store.find('coupon', idOf(discount.source.coupon) ?? '')?.object
    if (!discount || !coupon) return []
    const ended = discount.end !== null && discount.end <= store.clock.now()
    return ended || (coupon.duration === 'once' && !isFirstInvoice) ? [] : [{ id: discount.id, coupon }]
  })
}

/** How much of `amountMinor` a coupon takes off; never more than there is. */
export function amountOff(coupon: Stripe.Coupon, amountMinor: number, currency: string): number {
  if (amountMinor <= 0) return 0
  if (coupon.percent_off !== null) return Math.round((amountMinor * coupon.percent_off) / 100)
  if (coupon.currency !== currency) return 0
  return Math.min(coupon.amount_off ?? 0, amountMinor)
}
