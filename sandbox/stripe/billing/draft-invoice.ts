import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { type Line, type Period, totalOf } from './invoice-lines.ts'

export type NewInvoice = {
  customer: Stripe.Customer
  currency: string
  lines: Line[]
  reason: 'manual' | 'subscription_create' | 'subscription_cycle' | 'subscription_update' | 'upcoming'
  subscription: Stripe.Subscription | null
  discounts?: { id: string; coupon: Stripe.Coupon }[]
  /** What the invoice looks back on; without one it is the moment it is made. */
  period?: Period
  autoAdvance?: boolean
  /** Unix seconds at which a draft is finalized by itself. */
  finalizesAt?: number
  defaultPaymentMethod?: string | null
  description?: string | null
  metadata?: Record<string, string>
}

/** A draft, not kept yet: a preview is no more than this. */
export function draftInvoice(store: Store, given: NewInvoice): Stripe.Invoice {
  const id = newId('invoice')
  const { customer, subscription } = given
  const now = store.clock.now()
  const totals = totalOf(given.lines, given.discounts ?? [])
  return {
    id,
    object: 'invoice',
    account_country: 'US',
    account_name: 'Local stand-in',
    account_tax_ids: null,
    ...amountsDue(totals.total, customer.balance),
    amount_overpaid: 0,
    amount_paid: 0,
    amount_shipping: 0,
    application: null,
    attempt_count: 0,
    attempted: false,
    auto_advance: given.autoAdvance ?? false,
    automatic_tax: { disabled_reason: null, enabled: false, liability: null, provider: null, status: null },
    automatically_finalizes_at: given.finalizesAt ?? null,
    billing_reason: given.reason,
    collection_method: 'charge_automatically',
    created: now,
    currency: given.currency,
    custom_fields: null,
    customer: customer.id,
    customer_account: null,
    customer_address: customer.address ?? null,
    customer_email: customer.email,
    customer_name: customer.name ?? null,
    customer_phone: customer.phone ?? null,
    customer_shipping: customer.shipping ?? null,
    customer_tax_exempt: customer.tax_exempt ?? 'none',
    customer_tax_ids: [],
    default_payment_method: given.defaultPaymentMethod ?? null,
    default_source: null,
    default_tax_rates: [],
    description: given.description ?? null,
    discounts: (given.discounts ?? []).map((discount) => discount.id),
    due_date: null,
    effective_at: null,
    ending_balance: null,
    footer: null,
    from_invoice: null,
    hosted_invoice_url: null,
    invoice_pdf: null,
    issuer: { type: 'self' },
    last_finalization_error: null,
    latest_revision: null,
    lines: {
      object: 'list',
      data: totals.lines.map((line) => ({ ...line, invoice: id })),
      has_more: false,
      url: `/v1/invoices/${id}/lines`,
    },
    livemode: false,
    metadata: given.metadata ?? {},
    next_payment_attempt: given.finalizesAt ?? null,
    number: null,
    on_behalf_of: null,
    parent: subscription
      ? {
          quote_details: null,
          subscription_details: { metadata: subscription.metadata, subscription: subscription.id },
          type: 'subscription_details',
        }
      : null,
    payment_settings: { default_mandate: null, payment_method_options: null, payment_method_types: null },
    period_end: given.period?.end ?? now,
    period_start: given.period?.start ?? now,
    post_payment_credit_notes_amount: 0,
    pre_payment_credit_notes_amount: 0,
    receipt_number: null,
    rendering: null,
    shipping_cost: null,
    shipping_details: null,
    starting_balance: customer.balance,
    statement_descriptor: null,
    status: 'draft',
    status_transitions: { finalized_at: null, marked_uncollectible_at: null, paid_at: null, voided_at: null },
    subtotal: totals.subtotal,
    subtotal_excluding_tax: totals.subtotal,
    test_clock: idOf(customer.test_clock),
    total: totals.total,
    total_discount_amounts: totals.total_discount_amounts,
    total_excluding_tax: totals.total,
    total_pretax_credit_amounts: [],
    total_taxes: [],
    webhooks_delivered_at: null,
  }
}

/** A customer's credit (a negative balance) pays first. */
export function amountsDue(total: number, balance: number) {
  const due = Math.max(total + balance, 0)
  return { amount_due: due, amount_remaining: due }
}
