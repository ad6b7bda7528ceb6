import type Stripe from 'stripe'
import { newId, randomText } from '../core/ids.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { supersedeChallenges } from '../payments/challenge-store.ts'
import { newIntent } from '../payments/payment-intents.ts'
import { inTimeOf } from './clock-time.ts'
import { amountsDue, draftInvoice, type NewInvoice } from './draft-invoice.ts'
import { settleSubscription } from './subscription-status.ts'

export type Invoice = Stripe.Invoice

export function createInvoice(call: Call, given: NewInvoice): Invoice {
  const invoice = call.store.insert('invoice', draftInvoice(call.store, given), {
    retries: 0,
    collecting: false,
  })
  recordEvent(call, 'invoice.created', invoice)
  return invoice
}

/** It gets its number and cannot be changed any more; what is due gets a PaymentIntent. Nothing due is paid. */
export function finalizeInvoice(call: Call, draft: Invoice): Invoice {
  if (draft.status !== 'draft') {
    throw refused('This invoice is already finalized, you can’t re-finalize a non-draft invoice.')
  }
  const { store } = call
  const customer = customerOf(store, draft)
  const due = amountsDue(draft.total, customer.balance)
  const now = store.clock.now()
  const ending = draft.total + customer.balance - due.amount_due
  const open = store.save('invoice', {
    ...draft,
    ...due,
    automatically_finalizes_at: null,
    effective_at: now,
    ending_balance: ending,
    hosted_invoice_url: `${store.config.baseUrl}/invoice/${draft.id}?t=${randomText(32)}`,
    next_payment_attempt: null,
    number: `${customer.invoice_prefix}-${String(customer.next_invoice_sequence ?? 1).padStart(4, '0')}`,
    starting_balance: customer.balance,
    status: 'open',
    status_transitions: { ...draft.status_transitions, finalized_at: now },
  })
  store.save('customer', {
    ...customer,
    balance: ending,
    currency: customer.currency ?? draft.currency,
    next_invoice_sequence: (customer.next_invoice_sequence ?? 1) + 1,
  })
  recordEvent(call, 'invoice.finalized', open)
  if (open.amount_due === 0) return markPaid(call, open)
  openPayment(call, open)
  return open
}

/** The money is there (or nothing was due): the invoice is paid, and so is its subscription (stripe.E14). */
export function markPaid(call: Call, invoice: Invoice): Invoice {
  const { store } = call
  const byPayment = invoice.amount_due > 0
  const paid = store.save('invoice', {
    ...invoice,
    amount_paid: invoice.amount_due,
    amount_remaining: 0,
    attempt_count: invoice.attempt_count + (byPayment ? 1 : 0),
    attempted: true,
    auto_advance: false,
    next_payment_attempt: null,
    status: 'paid',
    status_transitions: { ...invoice.status_transitions, paid_at: store.clock.now() },
  })
  recordEvent(call, 'invoice.paid', paid)
  recordEvent(call, 'invoice.payment_succeeded', paid)
  settleSubscription(call, paid)
  return paid
}

/** Nobody has to pay it any more. */
export function voidInvoice(call: Call, invoice: Invoice): Invoice {
  const { store } = call
  if (invoice.status !== 'open' && invoice.status !== 'uncollectible') {
    throw refused('You can only pass in open invoices. This invoice isn’t open.')
  }
  cancelPayments(call, invoice)
  const voided = store.save('invoice', {
    ...invoice,
    auto_advance: false,
    next_payment_attempt: null,
    status: 'void',
    status_transitions: { ...invoice.status_transitions, voided_at: store.clock.now() },
  })
  recordEvent(call, 'invoice.voided', voided)
  return voided
}

export function getInvoice(store: Store, id: string): Invoice {
  const found = store.find('invoice', id)
  if (!found || found.deleted) throw noSuch('invoice', id, 'invoice', 404)
  return found.object
}

export function customerOf(store: Store, { customer }: { customer: Invoice['customer'] }): Stripe.Customer {
  const found = store.find('customer', idOf(customer) ?? '')
  if (!found) throw new Error(`There is no customer ${idOf(customer)}`)
  return found.object
}

export function subscriptionOf({ parent }: Invoice): string | null {
  return idOf(parent?.subscription_details?.subscription)
}

/** The PaymentIntent an invoice is paid with, and the row that ties the two together. */
export function paymentOf(store: Store, invoice: string): Stripe.InvoicePayment | null {
  const [found] = store.select('invoice_payment', [{ sql: "data ->> '$.invoice' = ?", values: [invoice] }])
  return found?.object ?? null
}

function openPayment(call: Call, invoice: Invoice): void {
  const { store } = call
  const intent: Stripe.PaymentIntent = {
    ...newIntent(store, {
      amount: invoice.amount_due,
      currency: invoice.currency,
      customer: idOf(invoice.customer) ?? undefined,
    }),
    description: describe(invoice),
    // The card of a subscription is charged again when its customer is not there.
    setup_future_usage: subscriptionOf(invoice) ? 'off_session' : null,
  }
  store.insert('payment_intent', intent, {})
  store.insert(
    'invoice_payment',
    {
      id: newId('invoice_payment'),
      object: 'invoice_payment',
      amount_paid: null,
      amount_requested: invoice.amount_due,
      created: store.clock.now(),
      currency: invoice.currency,
      invoice: invoice.id,
      is_default: true,
      livemode: false,
      payment: { payment_intent: intent.id, type: 'payment_intent' },
      status: 'open',
      status_transitions: { canceled_at: null, paid_at: null },
    },
    {},
  )
  recordEvent(call, 'payment_intent.created', intent)
}

function cancelPayments(call: Call, invoice: Invoice): void {
  const { store } = call
  const payment = paymentOf(store, invoice.id)
  const intent = store.find('payment_intent', idOf(payment?.payment.payment_intent) ?? '')?.object
  if (!payment || !intent) return
  const canceled_at = store.clock.now()
  store.save('invoice_payment', {
    ...payment,
    status: 'canceled',
    status_transitions: { ...payment.status_transitions, canceled_at },
  })
  supersedeChallenges(store, intent.id)
  const canceled = store.save('payment_intent', {
    ...intent,
    status: 'canceled',
    canceled_at,
    cancellation_reason: 'void_invoice',
    next_action: null,
  })
  recordEvent(call, 'payment_intent.canceled', canceled)
}

function describe({ billing_reason, description }: Invoice): string {
  if (billing_reason === 'subscription_create') return 'Subscription creation'
  if (billing_reason === 'subscription_update' || billing_reason === 'subscription_cycle') {
    return 'Subscription update'
  }
  return description ?? 'Payment for Invoice'
}

export function inTimeOfInvoice<T>(store: Store, invoice: Invoice, work: () => T): T {
  return inTimeOf(store, invoice.test_clock, work)
}

function refused(message: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message })
}
