import type { BillingBooks } from './billing-books'
import type { Books } from './books'
import { fail, groupBy } from './stories'
import {
  hasEnded,
  isLive,
  type ModelInvoice,
  type ModelSubscription,
  nowInSeconds,
} from './stripe/billing-objects'
import { countsAsRefunded, sum } from './stripe/model'
import { found } from './stripe/refusal'
import type { World } from './world'

const DAY = 24 * 3600

/** When nothing is left to be told, our subscriptions are Stripe's, and give what those give. @throws Violation */
export function checkBillingAgreement(world: World, books: Books): void {
  const { billing } = books
  if (!billing) return
  const { sessions, subscriptions, invoices } = world.stripe.billing
  for (const subscription of subscriptions) agreeSubscription(subscription, billing)
  for (const invoice of invoices) agreeInvoice(world, invoice, billing)
  for (const { session_id, status } of billing.checkouts) {
    const session = sessions.find(({ id }) => id === session_id)
    if (session && session.status !== status) fail(`${session.id} is ${session.status}, and here ${status}`)
  }
  oneOfEachGroup(world, billing)
  for (const { subscription_id, is_done } of billing.cancellations)
    agreeSentBack(world, { subscriptionId: subscription_id, isDone: is_done }, books)
  agreeEntitlements(world, billing)
}

function agreeSubscription(
  theirs: ModelSubscription,
  { subscriptions, customers, prices }: BillingBooks,
): void {
  const rows = subscriptions.filter(({ stripe_id }) => stripe_id === theirs.id)
  const [ours] = rows
  if (!ours || rows.length > 1) fail(`${theirs.id} has ${rows.length} rows here`)
  const customer = customers.find(({ stripe_id }) => stripe_id === theirs.customer)
  same(theirs.id, [
    ['status', theirs.status, ours.status],
    ['customer', customer?.customer_id ?? null, ours.customer_id],
    ['price', theirs.price, ours.price_id],
    ['plan', prices.find(({ stripe_id }) => stripe_id === theirs.price)?.plan_id ?? null, ours.plan_id],
    ['period', theirs.periodEnd, ours.period_end],
    ['cancel_at', theirs.cancelAt, ours.cancel_at],
    ['ended_at', theirs.endedAt, ours.ended_at],
  ])
}

function agreeInvoice(world: World, theirs: ModelInvoice, { invoices, subscriptions }: BillingBooks): void {
  const rows = invoices.filter(({ stripe_id }) => stripe_id === theirs.id)
  const [ours] = rows
  if (!ours || rows.length > 1) fail(`${theirs.id} has ${rows.length} rows here`)
  const subscription = subscriptions.find(({ id }) => id === ours.subscription_id)
  same(theirs.id, [
    ['status', theirs.status, ours.status],
    ['subscription', theirs.subscriptionId, subscription?.stripe_id ?? null],
    ['amount', theirs.amount, ours.amount_due_minor],
    ['paid', theirs.status === 'paid' ? theirs.amount : 0, ours.amount_paid_minor],
    ['intent', theirs.intentId, ours.intent_id],
    ['needs_action', theirs.status === 'open' && isAsked(world, theirs), ours.needs_action],
  ])
}

function isAsked(world: World, invoice: ModelInvoice): boolean {
  return world.stripe.billing.intentOf(invoice)?.status === 'requires_action'
}

/** Of one group a person has one plan: the one that began first is left of them. All of ours are of one group. */
function oneOfEachGroup(world: World, { customers, prices }: BillingBooks): void {
  const known = new Set(customers.map(({ stripe_id }) => stripe_id))
  const live = world.stripe.billing.subscriptions.filter(
    (one) =>
      isLive(one) && known.has(one.customer) && prices.some(({ stripe_id }) => stripe_id === one.price),
  )
  for (const [customer, several] of groupBy(live, (one) => one.customer))
    if (several.length > 1) fail(`${customer} has ${several.map(({ id }) => id).join(' and ')}`)
}

/** A second one is over, and all that was paid for it has gone back, unless a bank has it or will not take it. */
function agreeSentBack(
  world: World,
  { subscriptionId, isDone }: { subscriptionId: string; isDone: boolean },
  books: Books,
): void {
  const { stripe } = world
  const { stripe_id } = found(books.billing?.subscriptions ?? [], subscriptionId)
  const second = stripe.billing.subscription(stripe_id)
  if (!isDone) fail(`${second.id} was decided against, and it is not done`)
  if (!stripe.billing.subscriptions.some((other) => stoodInTheWay(other, second)))
    fail(`${second.id} was decided against, and there was no other`)
  if (!hasEnded(second)) fail(`${second.id} was decided against, and it is ${second.status}`)
  if (second.endedByApp > 1) fail(`${second.id} was ended ${second.endedByApp} times`)
  for (const invoice of stripe.billing.invoicesOf(second)) {
    const intent = stripe.billing.intentOf(invoice)
    if (intent?.status !== 'succeeded') continue
    const refunds = stripe.refundsOf(intent)
    const payment = books.payments.find(({ intent_id }) => intent_id === intent.id)
    const isRefused = books.requests.some(
      ({ payment_id, status }) => payment_id === payment?.id && status === 'refused',
    )
    if (isRefused || refunds.some((one) => !countsAsRefunded(one)) || stripe.disputesOf(intent).length > 0)
      continue
    const back = sum(refunds.filter(countsAsRefunded))
    if (back !== intent.amountReceived) fail(`${second.id} was paid for in vain, and only ${back} went back`)
  }
}

/** It was there first, and still when the second one began. */
function stoodInTheWay(other: ModelSubscription, second: ModelSubscription): boolean {
  return (
    other.customer === second.customer &&
    other.beganAfter < second.beganAfter &&
    (other.endedAfter === null || other.endedAfter >= second.beganAfter)
  )
}

type Access = { state: 'active' | 'grace'; until: number | null }

/** What people may use is what their subscriptions at Stripe imply. */
function agreeEntitlements(world: World, billing: BillingBooks): void {
  const isAllTold =
    !world.stripe.log.hasDropped && !world.books?.events.some(({ status }) => status === 'parked')
  for (const theirs of world.stripe.billing.subscriptions) {
    const ours = billing.subscriptions.find(({ stripe_id }) => stripe_id === theirs.id)
    const has = billing.entitlements.find(({ subscription_id }) => subscription_id === ours?.id)
    const isOurs = ours?.customer_id !== null && ours?.plan_id !== null
    const access = isOurs ? accessBy(world, theirs) : null
    // When the first payment failed, nobody has told us: the day may have begun later here.
    if (!isAllTold && access?.state !== 'active' && has?.state !== 'active') continue
    if (access?.state !== has?.state) fail(`${theirs.id} gives ${access?.state}, and here ${has?.state}`)
    if (access?.until && has?.until && Math.abs(access.until - has.until) > 0.01)
      fail(`the grace of ${theirs.id} ends at ${access.until}, and here at ${has.until}`)
  }
}

function accessBy(world: World, subscription: ModelSubscription): Access | null {
  const owed = world.stripe.billing
    .invoicesOf(subscription)
    .filter((one) => one.status === 'open' && one.reason === 'subscription_cycle')
    .flatMap(({ firstFailedAt }) => firstFailedAt ?? [])
  if (owed.length === 0) return subscription.status === 'active' ? { state: 'active', until: null } : null
  const until = Math.min(...owed) + DAY
  if (!['active', 'past_due'].includes(subscription.status) || until <= nowInSeconds()) return null
  return { state: 'grace', until }
}

function same(what: string, facts: [name: string, theirs: unknown, ours: unknown][]): void {
  for (const [name, theirs, ours] of facts)
    if (theirs !== ours) fail(`${name} of ${what} is ${theirs} at Stripe, and here ${ours}`)
}
