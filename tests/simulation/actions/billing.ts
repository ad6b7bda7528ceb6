import { hasEnded, isLive, type ModelSubscription } from '../stripe/billing-objects'
import type { World } from '../world'
import type { Action } from './action'

// What customers do on pages of Stripe's, what Stripe does by itself each month, and what somebody does in the dashboard.

const MOST_SUBSCRIPTIONS = 4
const MOST_INVOICES = 4

function pageIsPaid(world: World): boolean {
  const { billing } = world.stripe
  const session = world.random.pick(billing.sessions.filter((one) => one.isShown && one.status === 'open'))
  if (!session) return false
  const subscription = billing.completeSession(session)
  world.tell(`${session.id} is paid: ${subscription.id}`)
  return true
}

/** For a customer of ours, at a price of ours; or not. Its first invoice waits. */
function dashboardSubscribes(world: World): boolean {
  const { random, stripe } = world
  if (stripe.billing.subscriptions.length >= MOST_SUBSCRIPTIONS) return false
  const known = (world.books?.billing?.customers ?? []).flatMap(({ stripe_id }) => stripe_id ?? [])
  const ours = (world.books?.billing?.prices ?? []).map(({ stripe_id }) => stripe_id)
  const customer = random.chance(0.9) ? random.pick(known.toSorted()) : 'cus_unknown'
  const isOurs = ours.length > 0 && random.chance(0.85)
  const price = isOurs
    ? random.pick(ours.toSorted())
    : stripe.billing.createPrice({ amount: 700, currency: 'usd' }).id
  if (!customer || !price) return false
  const subscription = stripe.billing.createSubscription({ customer, price })
  world.tell(`${subscription.id} is made in the dashboard for ${customer} at ${price}`)
  payFirst(world, subscription)
  return true
}

function payFirst({ random, stripe }: World, { latestInvoice }: ModelSubscription): void {
  const invoice = stripe.billing.invoices.find(({ id }) => id === latestInvoice)
  const intent = invoice && stripe.billing.intentOf(invoice)
  if (intent && random.chance(0.7)) stripe.confirm(intent, 'pays')
}

function monthBegins(world: World): boolean {
  const { billing } = world.stripe
  const isQuiet = (one: ModelSubscription) => {
    const invoices = billing.invoicesOf(one)
    return (
      invoices.length < MOST_INVOICES &&
      !invoices.some(({ status }) => status === 'draft' || status === 'open')
    )
  }
  const subscription = world.random.pick(
    billing.subscriptions.filter((one) => one.status === 'active' && one.cancelAt === null && isQuiet(one)),
  )
  if (!subscription) return false
  const invoice = billing.renew(subscription)
  world.tell(`a month of ${subscription.id} begins: ${invoice.id}`)
  if (world.random.chance(0.7)) billing.finalize(invoice)
  return true
}

/** Stripe collects what is due: for the first time, or once more. */
function stripeCollects(world: World): boolean {
  const { billing } = world.stripe
  const due = billing.invoices.filter(
    (invoice) =>
      invoice.reason === 'subscription_cycle' &&
      !hasEnded(billing.subscription(invoice.subscriptionId)) &&
      (invoice.status === 'draft' ||
        (invoice.status === 'open' && billing.intentOf(invoice)?.status === 'requires_payment_method')),
  )
  const invoice = world.random.pick(due)
  if (!invoice) return false
  if (invoice.status === 'draft') {
    world.tell(`${invoice.id} is finalized`)
    billing.finalize(invoice)
    if (world.random.chance(0.3)) return true
  }
  const intent = billing.intentOf(invoice)
  const how = world.random.weighted({ pays: 4, declined: 5, challenged: 2 })
  world.tell(`${invoice.id} is collected: ${how}`)
  if (intent) world.stripe.confirm(intent, how)
  return true
}

/** All tries were in vain: the account ends such subscriptions or lets them lie. */
function dunningEnds(world: World): boolean {
  const { billing } = world.stripe
  const subscription = world.random.pick(billing.subscriptions.filter(({ status }) => status === 'past_due'))
  if (!subscription) return false
  const how = world.random.weighted({ ends: 1, 'is left unpaid': 2 })
  world.tell(`nobody pays for ${subscription.id}: it ${how}`)
  if (how === 'ends') billing.end(subscription)
  else billing.leaveUnpaid(subscription)
  return true
}

/** In the portal: cancel, think again, or cancel at once. Later the period is over. */
function customerCancels(world: World): boolean {
  const { billing } = world.stripe
  const subscription = world.random.pick(billing.subscriptions.filter(isLive))
  if (!subscription) return false
  const how =
    subscription.cancelAt === null
      ? world.random.weighted({ 'ends with its period': 4, 'ends now': 1 })
      : world.random.weighted({ 'is resumed': 2, 'is over': 2, 'ends now': 1 })
  world.tell(`${subscription.id} ${how}`)
  if (how === 'ends with its period') billing.setCancelAt(subscription, subscription.periodEnd)
  else if (how === 'is resumed') billing.setCancelAt(subscription, null)
  else billing.end(subscription)
  return true
}

function planChanges(world: World): boolean {
  const { billing } = world.stripe
  const subscription = world.random.pick(billing.subscriptions.filter(({ status }) => status === 'active'))
  const prices = (world.books?.billing?.prices ?? []).map(({ stripe_id }) => stripe_id)
  const price = world.random.pick(prices.filter((id) => id !== subscription?.price).toSorted())
  if (!subscription || !price) return false
  world.tell(`${subscription.id} moves to ${price}`)
  billing.changePrice(subscription, price)
  return true
}

function invoiceIsVoided(world: World): boolean {
  const { billing } = world.stripe
  const invoice = world.random.pick(
    billing.invoices.filter((one) => {
      const status = billing.intentOf(one)?.status
      return one.status === 'open' && (status === 'requires_payment_method' || status === 'requires_action')
    }),
  )
  if (!invoice) return false
  world.tell(`${invoice.id} is voided`)
  billing.voidInvoice(invoice)
  return true
}

export const BILLING: readonly Action[] = [
  { weight: 12, act: pageIsPaid },
  { weight: 3, act: dashboardSubscribes },
  { weight: 8, act: monthBegins },
  { weight: 14, act: stripeCollects },
  { weight: 2, act: dunningEnds },
  { weight: 4, act: customerCancels },
  { weight: 2, act: planChanges },
  { weight: 1, act: invoiceIsVoided },
]

export const BILLING_OUTSIDE = [pageIsPaid, monthBegins, stripeCollects, stripeCollects, customerCancels]
