import type Stripe from 'stripe'
import { listObjects, listParams, pageParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, StripeError, unsupportedParameter } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { boolean, oneOf, type ReadParams, text, unsupported, word } from '../http/params.ts'
import { supersedeChallenges } from '../payments/challenge-store.ts'
import { getCustomer, referencedCustomer } from '../payments/find-customer.ts'
import { referencedPaymentMethod } from '../payments/payment-methods.ts'
import { invoiceFor, nextPeriodLines, previewChange } from './change-subscription.ts'
import { inTimeOf } from './clock-time.ts'
import { cardOf, collect, intentOf, payWith } from './collect-invoice.ts'
import { draftInvoice } from './draft-invoice.ts'
import { pageOf } from './embedded-list.ts'
import {
  createInvoice,
  finalizeInvoice,
  getInvoice,
  type Invoice,
  inTimeOfInvoice,
  markPaid,
  voidInvoice,
} from './invoices.ts'
import { previewDetails } from './subscription-params.ts'
import { getSubscription } from './subscription-status.ts'
import { recurringPrice } from './subscriptions.ts'
import { howToChange, knownItem } from './update-subscription.ts'

const createParams = {
  auto_advance: boolean(),
  collection_method: oneOf('charge_automatically'),
  currency: word(),
  customer: word(),
  default_payment_method: word(),
  description: text({ max: 1500 }),
  metadata: metadata(),
  pending_invoice_items_behavior: oneOf('exclude', 'include'),
  subscription: word(),
}

const previewParams = {
  currency: word(),
  customer: word(),
  subscription: word(),
  preview_mode: oneOf('next'),
  subscription_details: previewDetails,
}

export const invoiceOperations = [
  operation({ method: 'POST', path: '/v1/invoices', params: createParams, handle: create }),
  operation({ method: 'POST', path: '/v1/invoices/create_preview', params: previewParams, handle: preview }),
  operation({
    method: 'GET',
    path: '/v1/invoices/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getInvoice(store, id),
  }),
  operation({
    method: 'POST',
    path: '/v1/invoices/:id/finalize',
    params: { auto_advance: boolean() },
    handle: (call, { auto_advance }, { id }) => {
      const draft = getInvoice(call.store, id)
      return inTimeOfInvoice(call.store, draft, () =>
        finalizeInvoice(call, { ...draft, auto_advance: auto_advance ?? draft.auto_advance ?? false }),
      )
    },
  }),
  operation({
    method: 'POST',
    path: '/v1/invoices/:id/pay',
    params: {
      off_session: boolean(),
      paid_out_of_band: boolean(),
      payment_method: word(),
      ...unsupported('forgive', 'mandate', 'source'),
    },
    handle(call, params, { id }) {
      const invoice = getInvoice(call.store, id)
      return inTimeOfInvoice(call.store, invoice, () => pay(call, invoice, params))
    },
  }),
  operation({
    method: 'POST',
    path: '/v1/invoices/:id/void',
    params: {},
    handle(call, _params, { id }) {
      const invoice = getInvoice(call.store, id)
      return inTimeOfInvoice(call.store, invoice, () => voidInvoice(call, invoice))
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/invoices/:id/lines',
    params: pageParams,
    handle: ({ store }, page, { id }) =>
      pageOf(`/v1/invoices/${id}/lines`, getInvoice(store, id).lines.data, page),
  }),
  operation({
    method: 'GET',
    path: '/v1/invoices',
    params: {
      ...listParams,
      customer: word(),
      status: oneOf('draft', 'open', 'paid', 'uncollectible', 'void'),
      subscription: word(),
      ...unsupported('collection_method', 'customer_account', 'due_date'),
    },
    handle({ store }, { customer, status, subscription, ...page }) {
      const equal = Object.entries({
        customer,
        status,
        'parent.subscription_details.subscription': subscription,
      })
      const conditions = equal.flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      return listObjects(store, 'invoice', '/v1/invoices', page, conditions)
    },
  }),
]

/** Of a subscription: what its changes left to be billed. Anything else cannot be put onto an invoice here. */
function create(call: Call, params: ReadParams<typeof createParams>): Invoice {
  const { store } = call
  if (!params.customer) throw missingParameter('customer')
  const customer = referencedCustomer(store, params.customer)
  const found = params.subscription ? store.find('subscription', params.subscription) : null
  if (params.subscription && !found) getSubscription(store, params.subscription, 400)
  return inTimeOf(store, customer.test_clock, () => {
    const lines = found?.hidden.pending ?? []
    if (params.subscription && lines.length === 0) {
      throw new StripeError(400, {
        type: 'invalid_request_error',
        code: 'invoice_no_subscription_line_items',
        message: 'Nothing to invoice for subscription',
      })
    }
    const invoice = createInvoice(call, {
      customer,
      currency: found?.object.currency ?? params.currency?.toLowerCase() ?? customer.currency ?? 'usd',
      lines,
      reason: found ? 'subscription_update' : 'manual',
      subscription: found?.object ?? null,
      autoAdvance: params.auto_advance ?? false,
      defaultPaymentMethod: params.default_payment_method ?? null,
      description: params.description ?? null,
      metadata: mergeMetadata({}, params.metadata),
    })
    if (found)
      store.save(
        'subscription',
        { ...found.object, latest_invoice: invoice.id },
        { ...found.hidden, pending: [] },
      )
    return invoice
  })
}

/** @throws StripeError 402 when the card is declined. */
function pay(
  call: Call,
  given: Invoice,
  params: {
    payment_method: string | undefined
    off_session: boolean | undefined
    paid_out_of_band: boolean | undefined
  },
): Invoice {
  const { store } = call
  if (given.status === 'paid') throw refused('Invoice is already paid')
  const invoice = given.status === 'draft' ? finalizeInvoice(call, given) : given
  if (invoice.status === 'paid') return invoice
  if (invoice.status !== 'open') throw refused(`This invoice cannot be paid: it is ${invoice.status}.`)
  if (params.paid_out_of_band) {
    supersedeChallenges(store, intentOf(store, invoice).id)
    return markPaid(call, invoice)
  }
  const card = params.payment_method
    ? referencedPaymentMethod(store, params.payment_method)
    : cardOf(store, invoice)
  if (!card) {
    collect(call, invoice)
    throw refused('There is no `default_payment_method` set on this Customer or Invoice.')
  }
  const intent = payWith(call, invoice, card, { offSession: params.off_session ?? true, askLater: true })
  if (intent.status === 'requires_action') {
    throw new StripeError(
      402,
      {
        type: 'card_error',
        code: 'invoice_payment_intent_requires_action',
        message: 'This payment requires additional user action before it can be completed successfully.',
        payment_intent: intent,
      },
      { keepsChanges: true },
    )
  }
  return getInvoice(store, invoice.id)
}

function preview(call: Call, params: ReadParams<typeof previewParams>): Stripe.Invoice {
  const { store } = call
  if (!params.subscription) return previewOfNew(call, params)
  const subscription = getSubscription(store, params.subscription, 400)
  const details = params.subscription_details
  return inTimeOf(store, subscription.test_clock, () => {
    if (!details && subscription.cancel_at !== null) throw nothingUpcoming()
    const items = (details?.items ?? []).map((item, index) => ({
      id: item.id ? knownItem(subscription, item.id) : null,
      price:
        item.price || item.price_data || !item.id
          ? recurringPrice(call, item, `subscription_details[items][${index}]`)
          : null,
      quantity: item.quantity ?? null,
      deleted: item.deleted ?? false,
    }))
    return previewChange(store, subscription, {
      items,
      ...howToChange({
        payment_behavior: undefined,
        proration_behavior: details?.proration_behavior,
        proration_date: details?.proration_date,
      }),
      restart: details?.billing_cycle_anchor === 'now',
      trialEnd: details?.trial_end === 'now' ? null : details?.trial_end,
      fields: {},
    })
  })
}

function previewOfNew(
  { store }: Call,
  { customer, subscription_details }: ReadParams<typeof previewParams>,
): Invoice {
  if (!customer) throw missingParameter('customer')
  const owner = getCustomer(store, customer)
  if (subscription_details?.items) {
    throw unsupportedParameter(
      'subscription_details[items]',
      'only what is subscribed to already can be previewed',
    )
  }
  const [found] = store.select('subscription', [
    { sql: "customer = ? and data ->> '$.status' in ('active', 'trialing', 'past_due')", values: [owner.id] },
  ])
  if (!found) throw nothingUpcoming()
  const lines = [...found.hidden.pending, ...nextPeriodLines(store, found.object)]
  return draftInvoice(store, invoiceFor(store, found.object, lines, 'upcoming'))
}

function nothingUpcoming(): StripeError {
  return invalidParameter('subscription', 'No upcoming invoices for customer', 'invoice_upcoming_none')
}

function refused(message: string): StripeError {
  return new StripeError(400, { type: 'invalid_request_error', message })
}
