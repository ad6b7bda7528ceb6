import type Stripe from 'stripe'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { fields, oneOf, type ReadParams, required, unsupported, word } from '../http/params.ts'
import { referencedCustomer } from '../payments/find-customer.ts'
import { changeSubscription } from './change-subscription.ts'
import { inTimeOf } from './clock-time.ts'
import { createSubscription, schedulePeriodEnd } from './create-subscription.ts'
import { readRedemption } from './discounts.ts'
import { days } from './periods.ts'
import { createPrice, getPrice } from './price.ts'
import { cancelParams, createParams, updateParams } from './subscription-params.ts'
import { ENDED, endSubscription, getSubscription } from './subscription-status.ts'
import { checkedTrialEnd, updateSubscription, withDetails } from './update-subscription.ts'

type Subscription = Stripe.Subscription

type CreateParams = ReadParams<typeof createParams>

export const subscriptionOperations = [
  operation({
    method: 'POST',
    path: '/v1/subscriptions',
    params: createParams,
    handle(call, params) {
      if (!params.customer) throw missingParameter('customer')
      const customer = referencedCustomer(call.store, params.customer)
      return inTimeOf(call.store, customer.test_clock, () => create(call, customer, params))
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/subscriptions/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getSubscription(store, id),
  }),
  operation({
    method: 'POST',
    path: '/v1/subscriptions/:id',
    params: updateParams,
    handle: (call, params, { id }) =>
      changing(call, id, (subscription) => updateSubscription(call, subscription, params)),
  }),
  operation({
    method: 'DELETE',
    path: '/v1/subscriptions/:id',
    params: cancelParams,
    handle: (call, { cancellation_details }, { id }) =>
      changing(call, id, (subscription) =>
        endSubscription(
          call,
          { ...subscription, cancellation_details: withDetails(subscription, cancellation_details) },
          'cancellation_requested',
        ),
      ),
  }),
  operation({
    method: 'POST',
    path: '/v1/subscriptions/:id/resume',
    params: {
      billing_cycle_anchor: fields({ type: required(oneOf('now')) }),
      ...unsupported('payment_behavior', 'proration_behavior', 'proration_date'),
    },
    handle: (call, _params, { id }) => changing(call, id, (subscription) => resume(call, subscription)),
  }),
  operation({
    method: 'GET',
    path: '/v1/subscriptions',
    params: {
      ...listParams,
      customer: word(),
      price: word(),
      status: oneOf(
        'active',
        'all',
        'canceled',
        'ended',
        'incomplete',
        'incomplete_expired',
        'past_due',
        'paused',
        'trialing',
        'unpaid',
      ),
      test_clock: word(),
      collection_method: oneOf('charge_automatically'),
      ...unsupported(
        'automatic_tax',
        'current_period_end',
        'current_period_start',
        'customer_account',
        'plan',
      ),
    },
    handle({ store }, { customer, price, status, test_clock, collection_method: _, ...page }) {
      const conditions = [
        ...(customer ? [{ sql: 'customer = ?', values: [customer] }] : []),
        ...(test_clock ? [{ sql: "data ->> '$.test_clock' = ?", values: [test_clock] }] : []),
        ...(price
          ? [
              {
                sql: "exists (select 1 from json_each(data, '$.items.data') where value ->> '$.price.id' = ?)",
                values: [price],
              },
            ]
          : []),
        ...ofStatus(status),
      ]
      return listObjects(store, 'subscription', '/v1/subscriptions', page, conditions)
    },
  }),
]

/** Change one that has not ended, in its own time. */
export function changing(
  call: Call,
  id: string,
  work: (subscription: Subscription) => Subscription,
): Subscription {
  const subscription = getSubscription(call.store, id)
  if (ENDED.includes(subscription.status)) {
    // Stripe answers as if it were gone.
    throw noSuch('subscription', id, 'id', 404)
  }
  return inTimeOf(call.store, subscription.test_clock, () => work(subscription))
}

/** A price that is named, or described in place. @throws StripeError for one that is not paid again and again. */
export function recurringPrice(
  call: Call,
  given: { price?: string | undefined; price_data?: Parameters<typeof createPrice>[1] | undefined },
  param: string,
): Stripe.Price {
  if (!given.price && !given.price_data) throw missingParameter(`${param}[price]`)
  const price = given.price
    ? getPrice(call.store, given.price, 400, `${param}[price]`)
    : createPrice(call, { ...given.price_data, active: false } as Parameters<typeof createPrice>[1])
  if (given.price && !price.active) {
    throw invalidParameter(
      `${param}[price]`,
      `The price specified is inactive. This field only accepts active prices.`,
    )
  }
  if (price.recurring) return price
  throw invalidParameter(
    `${param}[price]`,
    `The price specified is set to \`type=one_time\` but this field only accepts prices with \`type=recurring\`.`,
  )
}

/** @throws StripeError for a card that is not the customer's. */
export function checkedCard(store: Store, customer: string, id: string): string {
  const found = store.find('payment_method', id)
  if (!found) throw noSuch('PaymentMethod', id, 'default_payment_method', 400)
  if (idOf(found.object.customer) === customer) return id
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message: `The customer does not have a payment method with the ID ${id}. The payment method must be attached to the customer.`,
    param: 'default_payment_method',
  })
}

function create(call: Call, customer: Stripe.Customer, params: CreateParams): Subscription {
  const { store } = call
  if (!params.items?.length) throw missingParameter('items')
  const trialEnd = trialEndOf(store, params.trial_end, params.trial_period_days)
  const items = params.items.map((item, index) => ({
    price: recurringPrice(call, item, `items[${index}]`),
    quantity: item.quantity ?? 1,
    metadata: mergeMetadata({}, item.metadata),
  }))
  assertTogether(items.map(({ price }) => price))
  return createSubscription(call, {
    customer,
    items,
    behavior: params.payment_behavior ?? 'allow_incomplete',
    offSession: params.off_session ?? false,
    paymentMethod: params.default_payment_method
      ? checkedCard(store, customer.id, params.default_payment_method)
      : null,
    keepsCard: params.payment_settings?.save_default_payment_method === 'on_subscription',
    redemptions: (params.discounts ?? []).map((discount) => readRedemption(store, discount)),
    trialEnd,
    missingPaymentMethod: params.trial_settings?.end_behavior?.missing_payment_method ?? 'create_invoice',
    cancelAt: params.cancel_at ?? null,
    cancelAtPeriodEnd: params.cancel_at_period_end ?? false,
    metadata: mergeMetadata({}, params.metadata),
    description: params.description ?? null,
  })
}

function resume(call: Call, subscription: Subscription): Subscription {
  if (subscription.status !== 'paused') {
    throw new StripeError(400, {
      type: 'invalid_request_error',
      message: `Subscription \`${subscription.id}\` is not paused and cannot be resumed.`,
    })
  }
  const active = { ...subscription, status: 'active' as const }
  const resumed = changeSubscription(call, active, {
    items: [],
    behavior: 'allow_incomplete',
    proration: 'none',
    prorationDate: null,
    offSession: false,
    restart: true,
    trialEnd: undefined,
    fields: {},
  })
  schedulePeriodEnd(call.store, resumed)
  recordEvent(call, 'customer.subscription.resumed', resumed, { status: 'paused' })
  return resumed
}

function trialEndOf(
  store: Store,
  end: CreateParams['trial_end'],
  forDays: number | undefined,
): number | null {
  if (end !== undefined && forDays !== undefined) {
    throw invalidParameter(
      'trial_end',
      'You may only specify one of these parameters: trial_end, trial_period_days.',
    )
  }
  if (forDays) return store.clock.now() + days(forDays)
  return end === 'now' ? null : (checkedTrialEnd(store, end) ?? null)
}

/** One invoice has one currency and one period. */
export function assertTogether(prices: Stripe.Price[]): void {
  const shapes = prices.map(
    ({ currency, recurring }) => `${currency} ${recurring?.interval} ${recurring?.interval_count}`,
  )
  if (new Set(shapes).size <= 1) return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message:
      'All prices on a subscription must have the same `recurring.interval` and `recurring.interval_count`, and the same currency. Items that differ are not supported by the local stand-in.',
  })
}

function ofStatus(status: string | undefined) {
  if (status === 'all') return []
  if (status === undefined) return [{ sql: "data ->> '$.status' <> 'canceled'", values: [] }]
  const wanted = status === 'ended' ? ENDED : [status]
  return [{ sql: `data ->> '$.status' in (${wanted.map(() => '?').join(', ')})`, values: wanted }]
}
