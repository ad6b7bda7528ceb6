import type { BillingBooks, EntitlementRow, InvoiceRow } from './billing-books'
import type { AuditRow, Books } from './books'
import { checkStory, fail, follows, groupBy } from './stories'
import { found } from './stripe/refusal'
import type { World } from './world'

type Told = Books & { billing: BillingBooks }

const ENDED = ['canceled', 'incomplete_expired']
const SETTLED = ['paid', 'void']
const DAY = 24 * 3600
/** Of a subscription, but no state of it. */
const NO_STATE = /^subscription\.(ending|resumed|plan_changed|refused|kept)$/

/** What holds of subscriptions after every step, whatever has gone wrong so far. @throws Violation */
export function checkBillingInvariants(world: World, before: Books | null, now: Books): void {
  if (!isTold(now)) return
  const told = groupBy(now.audit, ({ subject_id }) => subject_id)
  everyChangeIsAudited(world, now, told)
  for (const { id, stripe_id } of now.billing.invoices) oneGrace(stripe_id, told.get(id) ?? [])
  accessIsPaidFor(world, now.billing)
  onlySecondsGoBack(now)
  everyMailHasItsFact(now)
  if (!before || !isTold(before)) return
  finalsStay(before.billing, now.billing)
  gracesStayWhereTheyAre(world, before, now)
  answersGrowOld(before.billing, now.billing, now.passedSeconds - before.passedSeconds)
}

function isTold(books: Books): books is Told {
  return books.billing !== null
}

/** D4, W14: each state once, in the order of Stripe's own, and none after a final one. */
function everyChangeIsAudited(world: World, { billing }: Told, told: Map<string, AuditRow[]>): void {
  const stripe = world.stripe.billing
  const states = (rows: readonly AuditRow[]) => rows.map(({ action }) => action.replace(/^\w+\./, ''))
  for (const { id, stripe_id, status } of billing.subscriptions) {
    const rows = (told.get(id) ?? []).filter(({ action }) => !NO_STATE.test(action))
    const isStepBack = (from: string) => ENDED.includes(from)
    checkStory({ what: stripe_id, first: null, rows, status, isStepBack })
    follows(stripe.subscription(stripe_id), states(rows))
  }
  for (const { id, stripe_id, status } of billing.invoices) {
    const rows = (told.get(id) ?? []).filter(({ action }) => action.startsWith('invoice.'))
    const isStepBack = (from: string) => SETTLED.includes(from)
    checkStory({ what: stripe_id, first: null, rows, status, isStepBack })
    follows(found(stripe.invoices, stripe_id), states(rows))
  }
  for (const { id, session_id, status } of billing.checkouts) {
    const [made, ...rows] = told.get(id) ?? []
    if (made?.action !== 'checkout.created')
      fail('a page of ours was opened, and the audit log does not say so')
    // That it is there is told by whoever hears of it from Stripe before we have noted it.
    const ends = rows.filter(({ action }) => action !== 'checkout.open')
    const first = status === 'creating' ? status : 'open'
    checkStory({ what: `the page ${session_id}`, first, rows: ends, status })
  }
}

/** Begun once, and neither begun nor cleared when nothing is owed any more. */
function oneGrace(id: string, rows: readonly AuditRow[]): void {
  const at = (action: string) => rows.findIndex((row) => row.action === action)
  for (const action of ['grace.started', 'grace.cleared', 'grace.ended'])
    if (rows.filter((row) => row.action === action).length > 1) fail(`${id} has two rows ${action}`)
  const started = at('grace.started')
  const settled = rows.findIndex(({ action }) => action === 'invoice.paid' || action === 'invoice.void')
  if (settled >= 0 && started > settled) fail(`the grace of ${id} began after it was settled`)
  if (at('grace.cleared') >= 0 && at('grace.ended') >= 0) fail(`the grace of ${id} has two ends`)
}

/** Nobody may use what was never paid for, or is over, as far as we know ourselves; nor what Stripe never got money for. */
function accessIsPaidFor(
  world: World,
  { entitlements, subscriptions, invoices, readAt }: BillingBooks,
): void {
  for (const { subscription_id, plan_id, state, until } of entitlements) {
    const subscription = subscriptions.find(({ id }) => id === subscription_id)
    if (!subscription) fail('somebody may use something without a subscription')
    const { stripe_id, status } = subscription
    if (subscription.plan_id !== plan_id) fail(`${stripe_id} gives another plan than its own`)
    const all = invoices.filter((one) => one.subscription_id === subscription_id)
    // Past due is out of date once all of it is paid.
    const isSettled = all.length > 0 && all.every((one) => one.status === 'paid')
    const isBehind = status === 'past_due' && (state === 'grace' || isSettled)
    if (!['active', 'trialing'].includes(status) && !isBehind)
      fail(`${stripe_id} is ${status} and gives access`)
    const owed = invoices.filter(
      (one) =>
        one.subscription_id === subscription_id && one.status === 'open' && one.first_failed_at !== null,
    )
    if ((state === 'grace') !== owed.length > 0) fail(`${stripe_id} owes ${owed.length} and is ${state}`)
    if (state === 'grace' && !(until !== null && until > readAt)) fail(`the grace of ${stripe_id} is over`)
    const { stripe } = world
    const paid = stripe.billing
      .invoicesOf(stripe.billing.subscription(stripe_id))
      .some((one) => one.status === 'paid')
    if (!paid) fail(`${stripe_id} was never paid for and gives access`)
  }
}

/**
 * By itself money goes back for subscriptions that were decided against, and once for each payment; again only if it came back
 * from the card, or a bank had a part of it meanwhile.
 */
function onlySecondsGoBack({ billing, payments, requests, refunds, disputes }: Told): void {
  for (const invoice of billing.invoices) {
    const payment = payments.find(({ intent_id }) => intent_id !== null && intent_id === invoice.intent_id)
    const automatic = requests.filter(
      (one) => one.payment_id === payment?.id && one.requested_by === null && one.status !== 'refused',
    )
    if (automatic.length === 0) continue
    if (!billing.cancellations.some(({ subscription_id }) => subscription_id === invoice.subscription_id))
      fail(`${invoice.stripe_id} is sent back, and nobody decided it`)
    const hasFailed = refunds.some(
      ({ payment_id, status }) => payment_id === payment?.id && ['failed', 'canceled'].includes(status),
    )
    const wasHeld = disputes.some(({ payment_id }) => payment_id === payment?.id)
    if (automatic.length > 1 && !hasFailed && !wasHeld) fail(`${invoice.stripe_id} is sent back twice`)
  }
}

function everyMailHasItsFact({ billing, payments, audit }: Told): void {
  const keys = new Set<string>()
  for (const { kind, key } of billing.mails) {
    if (keys.has(`${kind} ${key}`)) fail(`there are two mails ${kind} of one thing`)
    keys.add(`${kind} ${key}`)
    if (kind === 'receipt' && payments.find(({ id }) => id === key)?.status !== 'succeeded')
      fail('a receipt is owed for a payment that has not succeeded')
    if (kind !== 'grace_started') continue
    if (!audit.some(({ action, subject_id }) => action === 'grace.started' && subject_id === key))
      fail('a mail tells of a grace that nobody has')
  }
}

/** W14 */
function finalsStay(before: BillingBooks, now: BillingBooks): void {
  for (const earlier of before.subscriptions) {
    const { stripe_id, status, version } = found(now.subscriptions, earlier.id)
    if (ENDED.includes(earlier.status) && status !== earlier.status)
      fail(`${stripe_id} went from ${earlier.status} to ${status}`)
    if (version < earlier.version) fail(`the version of ${stripe_id} went backwards`)
  }
  for (const earlier of before.invoices) {
    const { stripe_id, status, version } = found(now.invoices, earlier.id)
    if (SETTLED.includes(earlier.status) && status !== earlier.status)
      fail(`${stripe_id} went from ${earlier.status} to ${status}`)
    if (version < earlier.version) fail(`the version of ${stripe_id} went backwards`)
  }
}

/**
 * A day from the first payment that failed, and never later because of another one. Only earlier: of two failures that were told
 * in the wrong order, the first one counts.
 */
function gracesStayWhereTheyAre(world: World, before: Told, now: Told): void {
  for (const invoice of now.billing.invoices) {
    const { id, stripe_id, grace, first_failed_at: failedAt, grace_ends_at: endsAt } = invoice
    if (grace === null) continue
    if (failedAt === null || endsAt === null || (grace === 'running' && !isAbout(endsAt, failedAt + DAY)))
      fail(`the grace of ${stripe_id} does not last a day from its first failure`)
    const theirs = found(world.stripe.billing.invoices, stripe_id).firstFailedAt
    if (theirs === null || failedAt < theirs - 1)
      fail(`the grace of ${stripe_id} began before a payment failed`)
    const earlier = before.billing.invoices.find((one) => one.id === id)
    if (earlier) isStillAt(stripe_id, earlier, invoice, now.passedSeconds - before.passedSeconds)
  }
}

function isStillAt(id: string, before: InvoiceRow, now: InvoiceRow, passed: number): void {
  if (before.grace_ends_at === null || now.grace_ends_at === null) return
  if (now.grace_ends_at > before.grace_ends_at - passed + 0.01)
    fail(`the end of the grace of ${id} has moved`)
  if (before.grace !== 'running' && now.grace !== before.grace)
    fail(`the grace of ${id} went from ${before.grace} to ${now.grace}`)
}

function isAbout(one: number, other: number): boolean {
  return Math.abs(one - other) < 0.01
}

/** Whoever may use something else than before gets a new version: what was answered before is no answer any more. */
function answersGrowOld(before: BillingBooks, now: BillingBooks, passed: number): void {
  const versionOf = ({ versions }: BillingBooks, customer: string) =>
    versions.find(({ customer_id }) => customer_id === customer)?.version ?? 0
  for (const { customer_id } of now.customers) {
    const [was, is] = [before, now].map((books) =>
      books.entitlements.filter((one) => one.customer_id === customer_id).map((one) => inWords(one)),
    )
    // A grace that has run out ends answers by itself: they were good for no longer.
    const isOverNow = before.entitlements.some(
      ({ customer_id: customer, until }) =>
        customer === customer_id && until !== null && until - passed <= now.readAt,
    )
    if (String(was) === String(is) || isOverNow) continue
    if (versionOf(now, customer_id) <= versionOf(before, customer_id))
      fail(`what somebody may use went from ${was} to ${is}, and answers of before are good still`)
  }
}

function inWords({ subscription_id, plan_id, state }: EntitlementRow): string {
  return `${plan_id} by ${subscription_id} ${state}`
}
