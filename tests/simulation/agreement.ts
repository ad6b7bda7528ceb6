import { checkBillingAgreement } from './billing-agreement'
import type { Books, LedgerRow, PaymentRow } from './books'
import { fail } from './stories'
import { countsAsRefunded, sum } from './stripe/model'
import { type ModelIntent, payingCharge, type Settled } from './stripe/objects'
import type { World } from './world'

/** When nothing is left to be told, our books and Stripe's say the same. @throws Violation */
export function checkAgreement(world: World, books: Books): void {
  const ledger = balances(books.ledger)
  for (const intent of world.stripe.intents) {
    const payments = books.payments.filter((payment) => payment.intent_id === intent.id)
    const [payment] = payments
    if (!payment || payments.length > 1) fail(`${intent.id} has ${payments.length} payments here`)
    else {
      agreePayment(intent, payment)
      agreeRefunds(world, intent, payment, books)
      agreeDisputes(world, intent, payment, books)
      agreeLedger(world, intent, ledger.get(payment.id) ?? new Map())
    }
  }
  for (const order of books.orders) agreeOrder(world, order, books)
  for (const { intent_id, status } of books.payments)
    if (intent_id === null && status !== 'canceled')
      fail(`a payment is left ${status}, without a PaymentIntent`)
  if (books.requests.some(({ status }) => status === 'reserved')) fail('a refund is left reserved')
  checkBillingAgreement(world, books)
}

function agreePayment(intent: ModelIntent, payment: PaymentRow): void {
  // A payment that Stripe once refused stays ended here, unless its money comes all the same.
  if (payment.status !== intent.status)
    fail(`${intent.id} is ${intent.status}, and here it is ${payment.status}`)
  if (payment.amount_received_minor !== intent.amountReceived)
    fail(`${intent.id} brought ${intent.amountReceived}, and here it says ${payment.amount_received_minor}`)
}

function agreeRefunds(world: World, intent: ModelIntent, payment: PaymentRow, books: Books): void {
  const theirs = world.stripe.refundsOf(intent).map(({ id, status, amount }) => `${id} ${status} ${amount}`)
  const ours = books.refunds
    .filter(({ payment_id }) => payment_id === payment.id)
    .map(({ stripe_refund_id, status, amount_minor }) => `${stripe_refund_id} ${status} ${amount_minor}`)
  same(`the refunds of ${intent.id}`, theirs, ours)
  const asked = world.stripe.refundsOf(intent).flatMap(({ metadata }) => metadata.refund_request_id ?? [])
  const made = books.requests.filter((one) => one.payment_id === payment.id && one.status === 'made')
  same(
    `the refund requests of ${intent.id} that were made`,
    asked,
    made.map(({ id }) => id),
  )
}

function agreeDisputes(world: World, intent: ModelIntent, payment: PaymentRow, books: Books): void {
  const theirs = world.stripe.disputesOf(intent).map(({ id, status, amount }) => `${id} ${status} ${amount}`)
  const ours = books.disputes
    .filter(({ payment_id }) => payment_id === payment.id)
    .map(({ stripe_dispute_id, status, amount_minor }) => `${stripe_dispute_id} ${status} ${amount_minor}`)
  same(`the disputes of ${intent.id}`, theirs, ours)
}

/** Each account of one payment holds what Stripe's balance transactions say, and nothing waits in the clearing account. */
function agreeLedger(world: World, intent: ModelIntent, ours: Map<string, number>): void {
  const expected = new Map<string, number>()
  const add = (account: string, amount: number, currency: string) => {
    const key = `${account} ${currency}`
    expected.set(key, (expected.get(key) ?? 0) + amount)
  }
  const settle = (amount: number, settled: Settled | null, feeAccount: string) => {
    add('stripe_clearing', amount, intent.currency)
    if (!settled) return
    add('stripe_clearing', -amount, intent.currency)
    add('stripe_balance', settled.amount - settled.fee, settled.currency)
    add(feeAccount, settled.fee, settled.currency)
    if (settled.currency === intent.currency && settled.amount === amount) return
    add('exchange', amount, intent.currency)
    add('exchange', -settled.amount, settled.currency)
  }
  if (intent.status === 'succeeded') {
    add('sales', -intent.amountReceived, intent.currency)
    settle(intent.amountReceived, payingCharge(intent)?.settled ?? null, 'fees')
  }
  for (const refund of world.stripe.refundsOf(intent)) {
    settle(-refund.amount, refund.settled, 'fees')
    if (countsAsRefunded(refund)) add('refunds', refund.amount, intent.currency)
    else settle(refund.amount, refund.failureSettled, 'fees')
  }
  for (const { amount, settled } of world.stripe.disputesOf(intent)) {
    for (const one of settled) {
      const sign = Math.sign(one.amount)
      add('disputes', -sign * amount, intent.currency)
      settle(sign * amount, one, 'dispute_fees')
    }
  }
  const lines = (from: Map<string, number>) =>
    [...from].filter(([, amount]) => amount !== 0).map(([account, amount]) => `${account} ${amount}`)
  same(`the ledger of ${intent.id}`, lines(expected), lines(ours))
}

/** Paid if anything has paid it in full; once; and what was paid besides goes back. */
function agreeOrder(world: World, order: Books['orders'][number], books: Books): void {
  const arrived = books.payments.filter((one) => one.order_id === order.id && one.status === 'succeeded')
  const inFull = arrived.filter(
    (one) => one.amount_received_minor === order.total_minor && one.currency === order.currency,
  )
  if ((order.status === 'paid') !== inFull.length > 0)
    fail(`${world.name('order', order.id)} is ${order.status}, with ${inFull.length} payments in full`)
  for (const intent of world.stripe.intents) {
    if (intent.madeBy === 'app' && intent.metadata.order_id === order.id && intent.status === 'succeeded')
      if (!arrived.some(({ intent_id }) => intent_id === intent.id)) fail(`${intent.id} has lost its order`)
  }
  for (const payment of arrived) {
    if (payment.id === order.paid_by_payment_id) continue
    if (payment.review_reason === null) fail(`${payment.intent_id} did not pay its order, and nobody is told`)
    if (payment.review_reason === 'order_already_paid') agreeSentBack(world, payment, books)
  }
}

/** A second payment of one order goes back whole, unless a bank has it or Stripe will not do it: then staff are told. */
function agreeSentBack(world: World, payment: PaymentRow, books: Books): void {
  const intent = world.stripe.intent(payment.intent_id ?? '')
  const automatic = books.requests.filter((one) => one.payment_id === payment.id && one.requested_by === null)
  if (automatic.length > 1)
    fail(`${intent.id} paid a second time and has ${automatic.length} automatic refunds`)
  const hasFailed = world.stripe.refundsOf(intent).some((refund) => !countsAsRefunded(refund))
  const isRefused = automatic.some(({ status }) => status === 'refused')
  if (isRefused || hasFailed || world.stripe.disputesOf(intent).length > 0) return
  const back = sum(world.stripe.refundsOf(intent).filter(countsAsRefunded))
  if (back !== intent.amountReceived) fail(`${intent.id} paid a second time, and only ${back} went back`)
}

/** The balance of each account and currency, by payment. */
function balances(ledger: readonly LedgerRow[]): Map<string, Map<string, number>> {
  const payments = new Map<string, Map<string, number>>()
  for (const { payment_id, account, currency, amount_minor } of ledger) {
    const accounts = payments.get(payment_id) ?? new Map<string, number>()
    payments.set(payment_id, accounts)
    const key = `${account} ${currency}`
    accounts.set(key, (accounts.get(key) ?? 0) + (amount_minor ?? 0))
  }
  return payments
}

function same(what: string, theirs: readonly string[], ours: readonly string[]): void {
  const [expected, found] = [theirs, ours].map((lines) => lines.toSorted().join(', '))
  if (expected !== found) fail(`${what} differ:\n    Stripe: ${expected}\n    here:   ${found}`)
}
