import type Stripe from 'stripe'
import { scheduleJob } from '../core/jobs.ts'
import { idOf } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall, type Call } from '../http/call.ts'
import { StripeError } from '../http/errors.ts'
import { type AttemptOptions, attemptPayment } from '../payments/attempt.ts'
import {
  customerOf,
  getInvoice,
  type Invoice,
  inTimeOfInvoice,
  markPaid,
  paymentOf,
  subscriptionOf,
} from './invoices.ts'
import { days } from './periods.ts'
import { scheduleAt } from './schedule.ts'
import { endDunning, fallBehind } from './subscription-status.ts'

/** The payment of an invoice is told of a good while after the invoice itself (stripe.E4: 14 to 21 s, where money settles in 2 to 3). */
const PAYMENT_TOLD_AFTER = 7

/** The card an invoice is charged to: its own, its subscription's, or its customer's. */
export function cardOf(store: Store, invoice: Invoice): Found<'payment_method'> | null {
  const own = idOf(invoice.default_payment_method)
  if (own !== null) return store.find('payment_method', own)
  const subscription = store.find('subscription', subscriptionOf(invoice) ?? '')?.object
  return cardOfCustomer(store, subscription ?? { default_payment_method: null, customer: invoice.customer })
}

/** The card that a subscription's invoices are charged to. */
export function cardOfCustomer(
  store: Store,
  {
    default_payment_method,
    customer,
  }: Pick<Stripe.Subscription, 'default_payment_method'> & Pick<Invoice, 'customer'>,
): Found<'payment_method'> | null {
  const ofCustomer = customerOf(store, { customer }).invoice_settings.default_payment_method
  const id = idOf(default_payment_method) ?? idOf(ofCustomer)
  return id === null ? null : store.find('payment_method', id)
}

/** Try to take what is due from a card. @throws StripeError 402 when it is declined; what follows from that has happened. */
export function payWith(
  call: Call,
  invoice: Invoice,
  method: Found<'payment_method'>,
  options: Partial<AttemptOptions>,
): Stripe.PaymentIntent {
  return attemptPayment(call, intentOf(call.store, invoice), method, {
    offSession: false,
    errorOnRequiresAction: false,
    useStripeSdk: true,
    returnUrl: null,
    ...options,
  })
}

/** An automatic try, with nobody there. What comes of it is in the invoice afterwards. */
export function collect(call: Call, invoice: Invoice): Invoice {
  const { store } = call
  const card = cardOf(store, invoice)
  setCollecting(store, invoice.id, true)
  try {
    if (card) payWith(call, invoice, card, { offSession: true, askLater: true })
    else recordFailure(call, invoice)
  } catch (error) {
    if (!(error instanceof StripeError) || error.status !== 402) throw error
  }
  setCollecting(store, invoice.id, false)
  return getInvoice(store, invoice.id)
}

/** Invoices follow their PaymentIntents, whoever confirmed them and however long the customer's bank took. */
export function followPayments(store: Store): void {
  const follow = (type: string, reaction: (call: Call, invoice: Invoice) => void) =>
    store.onEvent(type, (call, intent) => {
      const invoice = invoiceOf(store, intent)
      if (invoice?.status === 'open') inTimeOfInvoice(store, invoice, () => reaction(call, invoice))
    })
  follow('payment_intent.succeeded', recordPayment)
  follow('payment_intent.payment_failed', recordFailure)
  follow('payment_intent.requires_action', (call, invoice) => {
    recordEvent(call, 'invoice.payment_action_required', invoice)
    if (store.find('invoice', invoice.id)?.hidden.collecting) recordFailure(call, invoice)
  })
}

/** Runs as a job. */
export function tellInvoicePayment(store: Store, id: string): void {
  const payment = store.find('invoice_payment', id)
  if (payment) recordEvent(automaticCall(store), 'invoice_payment.paid', payment.object)
}

export function intentOf(store: Store, invoice: Invoice): Stripe.PaymentIntent {
  const id = idOf(paymentOf(store, invoice.id)?.payment.payment_intent)
  const found = id === null ? null : store.find('payment_intent', id)
  if (!found) throw new Error(`${invoice.id} has no PaymentIntent`)
  return found.object
}

export function invoiceOf(store: Store, intent: string): Invoice | null {
  const [payment] = store.select('invoice_payment', [
    { sql: "data ->> '$.payment.payment_intent' = ?", values: [intent] },
  ])
  return payment ? (store.find('invoice', idOf(payment.object.invoice) ?? '')?.object ?? null) : null
}

function recordPayment(call: Call, invoice: Invoice): void {
  const { store } = call
  const payment = paymentOf(store, invoice.id)
  if (payment) {
    store.save('invoice_payment', {
      ...payment,
      amount_paid: payment.amount_requested,
      status: 'paid',
      status_transitions: { ...payment.status_transitions, paid_at: store.clock.now() },
    })
    const delay = store.config.settleDelayMs * PAYMENT_TOLD_AFTER
    scheduleJob(store, 'tell_invoice_payment', payment.id, delay)
  }
  markPaid(call, invoice)
}

/** One more try failed. Automatic tries are repeated after some days, and then no more (dunning). */
function recordFailure(call: Call, invoice: Invoice): void {
  const { store } = call
  const { retries, collecting } = store.find('invoice', invoice.id)?.hidden ?? {
    retries: 0,
    collecting: false,
  }
  const nextDelay = store.config.dunning.retryAfterDays[retries]
  const next = nextDelay === undefined ? null : store.clock.now() + days(nextDelay)
  const failed = store.save(
    'invoice',
    {
      ...invoice,
      attempt_count: invoice.attempt_count + 1,
      attempted: true,
      next_payment_attempt: collecting ? next : invoice.next_payment_attempt,
      ...(collecting && next === null ? { auto_advance: false } : {}),
    },
    { retries: collecting ? retries + 1 : retries, collecting },
  )
  recordEvent(call, 'invoice.payment_failed', failed)
  if (!collecting) return
  fallBehind(call, failed)
  if (next !== null) scheduleAt(store, 'retry_invoice', failed, next)
  else endDunning(call, failed)
}

function setCollecting(store: Store, id: string, collecting: boolean): void {
  const found = store.find('invoice', id)
  if (found) store.save('invoice', found.object, { ...found.hidden, collecting })
}
