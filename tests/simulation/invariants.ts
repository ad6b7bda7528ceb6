import { checkBillingInvariants } from './billing-invariants'
import type { AuditRow, Books, LedgerRow, PaymentRow } from './books'
import { checkStory, fail, follows, groupBy } from './stories'
import { countsAsRefunded } from './stripe/model'
import { payingCharge } from './stripe/objects'
import type { World } from './world'

const FINAL = ['succeeded', 'canceled']

/** What holds after every step, whatever has gone wrong so far. @throws Violation */
export function checkInvariants(world: World, before: Books | null, now: Books): void {
  ledgerAddsUp(now)
  oneTransactionPerCause(now)
  ordersArePaidOnce(before, now)
  finalsStay(before, now)
  everyChangeIsAudited(now)
  nothingStepsBack(world, now)
  nothingIsInvented(world, now)
  oneIntentPerPayment(world, now)
  oneRefundPerRequest(world)
  neverMoreBackThanPaid(world, now)
  newRequestsFit(before, now)
  noEventFailsOnUs(now)
  if (now.billing) checkBillingInvariants(world, before, now)
  if (world.api.idempotency.misused.length > 0)
    fail(
      `an idempotency key went out with two different requests: ${world.api.idempotency.misused.join(', ')}`,
    )
}

/** I14: every ledger transaction adds up to zero in each of its currencies, and none is empty. */
function ledgerAddsUp({ ledger }: Books): void {
  const sums = new Map<string, number>()
  for (const row of ledger) {
    if (row.amount_minor === null) fail(`a ledger transaction for ${row.stripe_object_id} has no entries`)
    const key = `${row.transaction_id} ${row.currency}`
    sums.set(key, (sums.get(key) ?? 0) + (row.amount_minor ?? 0))
  }
  for (const [key, total] of sums) if (total !== 0) fail(`a ledger transaction is out by ${total}: ${key}`)
}

/** W12: one posting for each movement of each Stripe object, for one payment. */
function oneTransactionPerCause({ ledger }: Books): void {
  const seen = new Map<string, string>()
  for (const row of ledger) {
    const cause = `${row.movement} of ${row.stripe_object_id}`
    const known = seen.get(cause)
    if (known && known !== row.transaction_id) fail(`${cause} is posted twice`)
    seen.set(cause, row.transaction_id)
  }
}

function ordersArePaidOnce(before: Books | null, now: Books): void {
  for (const order of now.orders) {
    const paidRows = now.audit.filter(
      (row) => row.subject_id === order.id && row.action === 'order.paid',
    ).length
    if (paidRows !== (order.status === 'paid' ? 1 : 0))
      fail(`an ${order.status} order has ${paidRows} rows order.paid`)
    const earlier = before?.orders.find(({ id }) => id === order.id)
    if (earlier?.paid_by_payment_id && earlier.paid_by_payment_id !== order.paid_by_payment_id)
      fail('an order that was paid is paid by something else now')
    if (order.status !== 'paid') continue
    const payment = now.payments.find(({ id }) => id === order.paid_by_payment_id)
    const isRight =
      payment?.status === 'succeeded' &&
      payment.order_id === order.id &&
      payment.amount_received_minor === order.total_minor &&
      payment.currency === order.currency
    if (!isRight) fail('an order counts as paid without a payment of just what it costs')
  }
}

/** W14: no final state is left, but for money that came after a cancel. */
function finalsStay(before: Books | null, now: Books): void {
  for (const earlier of before?.payments ?? []) {
    const payment = now.payments.find(({ id }) => id === earlier.id)
    if (!payment) fail('a payment is gone')
    else if (isStepBack(earlier.status, payment.status))
      fail(`a payment went from ${earlier.status} to ${payment.status}`)
    else if (payment.version < earlier.version) fail('a version went backwards')
    else if (earlier.intent_id && payment.intent_id !== earlier.intent_id)
      fail('a payment was linked to another PaymentIntent')
  }
}

function isStepBack(from: string, to: string): boolean {
  return FINAL.includes(from) && from !== to && !(from === 'canceled' && to === 'succeeded')
}

/** D4: the audit log tells every state each payment, refund and dispute was in, once each and in order. */
function everyChangeIsAudited({ payments, refunds, disputes, audit }: Books): void {
  const byPayment = groupBy(
    audit.filter((row) => row.subject_type === 'payment'),
    (row) => row.subject_id,
  )
  for (const payment of payments) {
    const rows = byPayment.get(payment.id) ?? []
    checkPaymentStory(payment, rows)
    for (const refund of refunds.filter(({ payment_id }) => payment_id === payment.id))
      checkStory({
        what: `refund ${refund.stripe_refund_id}`,
        first: null,
        rows: rows.filter((row) => row.detail.refund_id === refund.stripe_refund_id),
        status: refund.status,
      })
    for (const dispute of disputes.filter(({ payment_id }) => payment_id === payment.id))
      checkStory({
        what: `dispute ${dispute.stripe_dispute_id}`,
        first: null,
        rows: rows.filter((row) => row.detail.dispute_id === dispute.stripe_dispute_id),
        status: dispute.status,
      })
  }
}

const NO_STATE = ['payment.opened', 'payment.next_attempt', 'payment.failed_attempt', 'payment.decided']

function checkPaymentStory(payment: PaymentRow, rows: readonly AuditRow[]): void {
  const states = rows.filter(({ action }) => action.startsWith('payment.') && !NO_STATE.includes(action))
  const opened = rows.filter(({ action }) => action === 'payment.opened').length
  if (opened !== (payment.origin === 'app' ? 1 : 0)) fail(`a payment has ${opened} rows payment.opened`)
  const first = payment.origin === 'app' ? 'creating' : 'unknown'
  checkStory({ what: 'a payment', first, rows: states, status: payment.status, isStepBack })
}

/** W14: what we hold to be true follows Stripe's order of things: it may skip a state, and never returns to an older one. */
function nothingStepsBack({ stripe }: World, { payments, audit }: Books): void {
  const changes = audit.filter(({ detail }) => 'from' in detail)
  for (const { id, intent_id } of payments) {
    const rows = changes.filter(({ subject_id }) => subject_id === id)
    const states = (of: (row: AuditRow) => boolean) =>
      rows.filter(of).map(({ action }) => action.replace(/^\w+\./, ''))
    if (intent_id)
      follows(
        stripe.intent(intent_id),
        states(({ action }) => action.startsWith('payment.')),
      )
    for (const refund of stripe.refunds)
      follows(
        refund,
        states(({ detail }) => detail.refund_id === refund.id),
      )
    for (const dispute of stripe.disputes)
      follows(
        dispute,
        states(({ detail }) => detail.dispute_id === dispute.id),
      )
  }
}

/** Nothing is true here that is not, or was not, true at Stripe. */
function nothingIsInvented(world: World, now: Books): void {
  for (const payment of now.payments) {
    if (payment.intent_id === null) {
      if (payment.status === 'succeeded') fail('a payment succeeded without a PaymentIntent')
      continue
    }
    const intent = world.stripe.intent(payment.intent_id)
    if (payment.status === 'succeeded' && intent.status !== 'succeeded')
      fail(`${intent.id} is ${intent.status} at Stripe and succeeded here`)
    if (payment.status === 'succeeded' && payment.amount_received_minor !== intent.amountReceived)
      fail(`${intent.id} brought ${intent.amountReceived}, and here it says ${payment.amount_received_minor}`)
    const refunded = now.refunds
      .filter(({ payment_id, status }) => payment_id === payment.id && countsAsRefunded({ status }))
      .reduce((total, { amount_minor }) => total + amount_minor, 0)
    if (refunded !== payment.amount_refunded_minor)
      fail(`${intent.id} has refunds of ${refunded}, and the payment says ${payment.amount_refunded_minor}`)
  }
  for (const row of now.ledger) if (row.account === 'sales') checkSale(world, row)
}

function checkSale(world: World, { stripe_object_id, amount_minor, currency }: LedgerRow): void {
  const intent = world.stripe.intents.find((one) => one.charges.some(({ id }) => id === stripe_object_id))
  const charge = intent && payingCharge(intent)
  if (charge?.id !== stripe_object_id) fail(`${stripe_object_id} is posted and brought no money`)
  else if (charge.amountCaptured !== -(amount_minor ?? 0) || charge.currency !== currency)
    fail(`${stripe_object_id} brought ${charge.amountCaptured}, and ${amount_minor} is posted`)
}

/** Of what we make at Stripe: one PaymentIntent for a payment, and one open one for an order. */
function oneIntentPerPayment(world: World, now: Books): void {
  const ours = world.stripe.intents.filter(({ madeBy }) => madeBy === 'app')
  for (const [paymentId, intents] of groupBy(ours, ({ metadata }) => metadata.payment_id ?? ''))
    if (intents.length > 1) fail(`${world.name('payment', paymentId)} has ${intents.length} PaymentIntents`)
  const open = ours.filter(({ status }) => !FINAL.includes(status))
  for (const [orderId, intents] of groupBy(open, ({ metadata }) => metadata.order_id ?? ''))
    if (intents.length > 1) fail(`${world.name('order', orderId)} has ${intents.length} open PaymentIntents`)
  const rows = now.payments.filter((payment) => payment.origin === 'app' && !FINAL.includes(payment.status))
  for (const [, payments] of groupBy(rows, (payment) => payment.order_id ?? ''))
    if (payments.length > 1) fail('an order has two open payments')
}

function oneRefundPerRequest(world: World): void {
  const ours = world.stripe.refunds.filter(({ madeBy }) => madeBy === 'app')
  for (const [, refunds] of groupBy(ours, ({ metadata }) => metadata.refund_request_id ?? ''))
    if (refunds.length > 1) fail(`one refund request made ${refunds.map(({ id }) => id).join(' and ')}`)
}

/** What we have given back and mean to give back is never more than was paid, unless somebody else gives back, too. */
function neverMoreBackThanPaid(world: World, now: Books): void {
  for (const payment of now.payments) {
    if (!payment.intent_id) continue
    const intent = world.stripe.intent(payment.intent_id)
    if (world.stripe.refundsOf(intent).some(({ madeBy }) => madeBy === 'dashboard')) continue
    const isOf = ({ payment_id }: { payment_id: string }) => payment_id === payment.id
    const amounts = [
      ...now.requests.filter(({ status }) => status === 'reserved'),
      ...now.refunds.filter(countsAsRefunded),
    ]
    const back = amounts.filter(isOf).reduce((total, { amount_minor }) => total + amount_minor, 0)
    if (back > payment.amount_received_minor)
      fail(`${intent.id} brought ${payment.amount_received_minor}, and ${back} goes back`)
  }
}

/** Whatever somebody else has given back: we never mean to give back more than our books say is left. */
function newRequestsFit(before: Books | null, now: Books): void {
  if (!before) return
  const fresh = now.requests.filter(({ id }) => !before.requests.some((known) => known.id === id))
  for (const { payment_id, amount_minor } of fresh) {
    const isOf = (row: { payment_id: string }) => row.payment_id === payment_id
    const known = before.refunds.filter((row) => isOf(row) && countsAsRefunded(row))
    const back = now.refunds.filter(
      (row) =>
        countsAsRefunded(row) &&
        known.some(({ stripe_refund_id }) => stripe_refund_id === row.stripe_refund_id),
    )
    const left = now.payments
      .filter(({ id }) => id === payment_id)
      .reduce((total, payment) => total + payment.amount_received_minor, 0)
    const taken = back.reduce((total, row) => total + row.amount_minor, 0)
    if (amount_minor > left - taken)
      fail(`a refund of ${amount_minor} is asked for where ${left - taken} was left`)
  }
}

/** An event may fail because Stripe cannot be asked, never because of what our database or our code makes of it. */
function noEventFailsOnUs({ events }: Books): void {
  for (const { event_id, last_error } of events)
    if (last_error && /^([0-9A-Z]{5}|ZodError|TypeError|RangeError|Error)$/.test(last_error))
      fail(`${event_id} could not be applied: ${last_error}`)
}
