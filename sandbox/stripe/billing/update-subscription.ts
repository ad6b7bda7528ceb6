import type Stripe from 'stripe'
import { mergeMetadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, noSuch } from '../http/errors.ts'
import type { ReadParams } from '../http/params.ts'
import { changeSubscription, type SubscriptionChange } from './change-subscription.ts'
import { readRedemption, redeem } from './discounts.ts'
import type { updateParams } from './subscription-params.ts'
import { details } from './subscription-status.ts'
import { checkedCard, recurringPrice } from './subscriptions.ts'

type Subscription = Stripe.Subscription
type UpdateParams = ReadParams<typeof updateParams>

/** How it is cancelled at the end of its period, and how that is taken back. */
export function cancelAtPeriodEnd(
  store: Store,
  subscription: Subscription,
  cancels: boolean,
): Partial<Subscription> {
  if (!cancels) return notCancelled(subscription)
  return {
    cancel_at: subscription.items.data[0]?.current_period_end ?? null,
    cancel_at_period_end: true,
    ...cancelledBy(store, subscription),
  }
}

export function updateSubscription(
  call: Call,
  subscription: Subscription,
  params: UpdateParams,
): Subscription {
  const { store } = call
  const items = (params.items ?? []).map((item, index) => ({
    id: item.id ? knownItem(subscription, item.id) : null,
    price: item.price || item.price_data || !item.id ? recurringPrice(call, item, `items[${index}]`) : null,
    quantity: item.quantity ?? null,
    deleted: item.deleted ?? false,
    metadata: mergeMetadata({}, item.metadata),
  }))
  return changeSubscription(call, subscription, {
    items,
    ...howToChange(params),
    restart: params.billing_cycle_anchor === 'now',
    trialEnd: params.trial_end === 'now' ? null : checkedTrialEnd(store, params.trial_end),
    fields: fieldsOf(store, subscription, params),
  })
}

/** What an update of a subscription and one of its items have in common. */
export function howToChange(params: {
  payment_behavior: UpdateParams['payment_behavior']
  proration_behavior: UpdateParams['proration_behavior']
  proration_date?: number | undefined
  off_session?: boolean | undefined
}): Pick<SubscriptionChange, 'behavior' | 'proration' | 'prorationDate' | 'offSession'> {
  return {
    behavior: params.payment_behavior ?? 'allow_incomplete',
    proration: params.proration_behavior ?? 'create_prorations',
    prorationDate: params.proration_date ?? null,
    offSession: params.off_session ?? false,
  }
}

function fieldsOf(store: Store, subscription: Subscription, params: UpdateParams): Partial<Subscription> {
  const { id } = subscription
  const customer = idOf(subscription.customer) ?? ''
  const card = params.default_payment_method
  const settings = params.payment_settings?.save_default_payment_method
  return {
    metadata: mergeMetadata(subscription.metadata, params.metadata),
    ...(params.description === undefined ? {} : { description: params.description }),
    ...(card === undefined
      ? {}
      : { default_payment_method: card === null ? null : checkedCard(store, customer, card) }),
    ...(settings && subscription.payment_settings
      ? { payment_settings: { ...subscription.payment_settings, save_default_payment_method: settings } }
      : {}),
    ...(params.discounts === undefined
      ? {}
      : {
          discounts: (params.discounts ?? []).map(
            (discount) => redeem(store, readRedemption(store, discount), { customer, subscription: id }).id,
          ),
        }),
    ...(params.cancel_at_period_end === undefined
      ? {}
      : cancelAtPeriodEnd(store, subscription, params.cancel_at_period_end)),
    ...cancelAtOf(store, subscription, params.cancel_at),
    ...(params.cancellation_details
      ? { cancellation_details: withDetails(subscription, params.cancellation_details) }
      : {}),
  }
}

function cancelAtOf(
  store: Store,
  subscription: Subscription,
  at: number | null | undefined,
): Partial<Subscription> {
  if (at === undefined) return {}
  if (at === null) return notCancelled(subscription)
  if (at <= store.clock.now()) throw invalidParameter('cancel_at', 'cancel_at must be in the future.')
  return { cancel_at: at, cancel_at_period_end: false, ...cancelledBy(store, subscription) }
}

export function cancelledBy(store: Store, subscription: Subscription): Partial<Subscription> {
  return {
    canceled_at: store.clock.now(),
    cancellation_details: { ...details(subscription), reason: 'cancellation_requested' },
  }
}

export function notCancelled(subscription: Subscription): Partial<Subscription> {
  return {
    cancel_at: null,
    cancel_at_period_end: false,
    canceled_at: null,
    cancellation_details: { ...details(subscription), reason: null },
  }
}

export function withDetails(
  subscription: Subscription,
  given: UpdateParams['cancellation_details'],
): Stripe.Subscription.CancellationDetails {
  const before = details(subscription)
  return {
    ...before,
    comment: given?.comment === undefined ? before.comment : given.comment,
    feedback: given?.feedback === undefined ? before.feedback : given.feedback,
  }
}

export function knownItem(subscription: Subscription, id: string): string {
  if (subscription.items.data.some((item) => item.id === id)) return id
  throw noSuch('subscription item', id, 'items', 400)
}

export function checkedTrialEnd(store: Store, end: UpdateParams['trial_end']): number | undefined {
  if (typeof end !== 'number') return undefined
  if (end > store.clock.now()) return end
  throw invalidParameter('trial_end', 'The trial end must be in the future.')
}
