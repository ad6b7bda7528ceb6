import type Stripe from 'stripe'
import { toShipping } from '../core/address.ts'
import { withGiven } from '../core/changes.ts'
import { newClientSecret, newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata } from '../core/metadata.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, unsupportedParameter } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { type ReadParams, unsupported, word } from '../http/params.ts'
import { withConfirmationToken } from '../saving/confirmation-tokens.ts'
import { attemptPayment } from './attempt.ts'
import { releaseHeld } from './capture.ts'
import { supersedeChallenges } from './challenge-store.ts'
import { referencedCustomer } from './find-customer.ts'
import {
  cancelParams,
  confirmParams,
  createParams,
  SECRET_CONFIRM_PARAMS,
  updateParams,
} from './intent-params.ts'
import {
  assertBelongsTo,
  assertCancelable,
  assertConfirmable,
  assertHasMethod,
  assertNotOfCheckout,
  assertOpenFor,
  checkedCurrency,
  checkedReturnUrl,
  getIntent,
  methodOf,
} from './intent-rules.ts'
import { assertUsable, createPaymentMethod, referencedPaymentMethod } from './payment-methods.ts'

type Intent = Stripe.PaymentIntent
type CreateParams = ReadParams<typeof createParams>
type UpdateParams = ReadParams<typeof updateParams>
type ConfirmParams = ReadParams<typeof confirmParams>

const CONFIRM_ONLY = ['off_session', 'error_on_requires_action', 'return_url', 'confirmation_token'] as const

export const paymentIntentOperations = [
  operation({ method: 'POST', path: '/v1/payment_intents', params: createParams, handle: create }),
  operation({
    method: 'GET',
    path: '/v1/payment_intents/:id',
    publishable: true,
    params: { client_secret: word() },
    handle: (call, { client_secret }, { id }) => getIntent(call, id, client_secret),
  }),
  operation({
    method: 'POST',
    path: '/v1/payment_intents/:id',
    params: updateParams,
    handle: (call, params, { id }) => update(call, getIntent(call, id), params),
  }),
  operation({
    method: 'POST',
    path: '/v1/payment_intents/:id/confirm',
    publishable: true,
    params: confirmParams,
    handle: (call, params, { id }) => confirm(call, getIntent(call, id, params.client_secret), params),
  }),
  operation({
    method: 'POST',
    path: '/v1/payment_intents/:id/cancel',
    params: cancelParams,
    handle(call, { cancellation_reason }, { id }) {
      const intent = getIntent(call, id)
      assertCancelable(intent)
      assertNotOfCheckout(call.store, intent)
      supersedeChallenges(call.store, id)
      releaseHeld(call, intent)
      const canceled = call.store.save('payment_intent', {
        ...intent,
        status: 'canceled',
        amount_capturable: 0,
        canceled_at: call.store.clock.now(),
        cancellation_reason: cancellation_reason ?? null,
        next_action: null,
      })
      recordEvent(call, 'payment_intent.canceled', canceled)
      return canceled
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/payment_intents',
    params: { ...listParams, customer: word(), ...unsupported('customer_account') },
    handle({ store }, { customer, ...page }) {
      const conditions = customer ? [{ sql: 'customer = ?', values: [customer] }] : []
      return listObjects(store, 'payment_intent', '/v1/payment_intents', page, conditions)
    },
  }),
]

/** With `confirm` in the same call the event of the creation comes last (stripe.E2). */
function create(call: Call, given: CreateParams): Intent {
  if (given.confirmation_method === 'manual') throw unsupportedParameter('confirmation_method')
  if (!given.confirm) {
    for (const name of CONFIRM_ONLY) {
      if (given[name] === undefined) continue
      throw invalidParameter(
        name,
        `The parameter ${name} cannot be passed when creating a PaymentIntent unless confirm is set to true.`,
      )
    }
  }
  const blank = newIntent(call.store, given)
  const params = withConfirmationToken(call, given, blank)
  const created = withMethod(call, withStored(blank, params), params)
  call.store.insert('payment_intent', created, {})
  if (!params.confirm) {
    recordEvent(call, 'payment_intent.created', created)
    return created
  }
  assertHasMethod(created)
  try {
    return attempt(call, created, params)
  } finally {
    recordEvent(call, 'payment_intent.created', created)
  }
}

function update(call: Call, intent: Intent, params: UpdateParams): Intent {
  for (const name of ['amount', 'currency', 'customer', 'payment_method', 'payment_method_data'] as const) {
    if (params[name] !== undefined) assertOpenFor(intent, name)
  }
  const amount = params.amount ?? intent.amount
  const priced = {
    ...intent,
    amount,
    currency: checkedCurrency(call.store, amount, params.currency ?? intent.currency),
    customer: params.customer ? referencedCustomer(call.store, params.customer).id : intent.customer,
  }
  const changed = withMethod(call, withStored(priced, params), params)
  const decided = ['amount', 'currency', 'payment_method'] as const
  const asksAnew = decided.some((name) => changed[name] !== intent[name])
  return call.store.save('payment_intent', asksAnew ? toBeConfirmed(call.store, changed) : changed)
}

/** Another amount or card voids what the customer's bank was asked (stripe.P19). */
function toBeConfirmed(store: Store, intent: Intent): Intent {
  supersedeChallenges(store, intent.id)
  const status = intent.payment_method === null ? 'requires_payment_method' : 'requires_confirmation'
  return { ...intent, status, next_action: null }
}

function confirm(call: Call, intent: Intent, given: ConfirmParams): Intent {
  if (call.key === 'publishable') {
    for (const name of SECRET_CONFIRM_PARAMS) {
      if (given[name] === undefined) continue
      throw invalidParameter(name, `The parameter ${name} cannot be passed with a publishable key.`)
    }
  }
  assertConfirmable(intent)
  supersedeChallenges(call.store, intent.id)
  const params = withConfirmationToken(call, given, intent)
  const ready = withMethod(call, withStored(intent, params), params)
  assertHasMethod(ready)
  return attempt(call, ready, params)
}

function attempt(call: Call, intent: Intent, params: CreateParams | ConfirmParams): Intent {
  const method = methodOf(call.store, intent)
  assertUsable(method)
  return attemptPayment(call, intent, method, {
    offSession: params.off_session ?? false,
    errorOnRequiresAction: params.error_on_requires_action ?? false,
    useStripeSdk: params.use_stripe_sdk ?? false,
    returnUrl: params.return_url === undefined ? null : checkedReturnUrl(params.return_url),
  })
}

/** The parameters that are kept and given back as they are. */
function withStored(intent: Intent, params: Partial<CreateParams & UpdateParams>): Intent {
  if (params.capture_method && params.capture_method !== intent.capture_method) {
    assertOpenFor(intent, 'capture_method')
  }
  const { payment_method_options: options, shipping } = params
  return withGiven(intent, {
    allowed_payment_method_types: params.allowed_payment_method_types,
    capture_method: params.capture_method,
    description: params.description,
    excluded_payment_method_types: params.excluded_payment_method_types,
    metadata: mergeMetadata(intent.metadata, params.metadata),
    payment_method_options: options?.card
      ? { card: cardOptions(options.card.request_three_d_secure ?? 'automatic') }
      : undefined,
    receipt_email: params.receipt_email,
    setup_future_usage: params.setup_future_usage,
    shipping: shipping ? toShipping(shipping) : shipping,
    statement_descriptor: params.statement_descriptor,
    statement_descriptor_suffix: params.statement_descriptor_suffix,
    transfer_group: params.transfer_group,
  })
}

/** The payment method of the parameters, if there is one: the intent then waits for confirmation (stripe.P2). */
function withMethod(
  call: Call,
  intent: Intent,
  params: Pick<CreateParams, 'payment_method' | 'payment_method_data'>,
): Intent {
  const { payment_method, payment_method_data } = params
  if (payment_method && payment_method_data) {
    throw invalidParameter(
      'payment_method',
      'You may only specify one of these parameters: payment_method, payment_method_data.',
    )
  }
  if (!payment_method && !payment_method_data) return intent
  const method = payment_method_data
    ? createPaymentMethod(call, payment_method_data)
    : referencedPaymentMethod(call.store, payment_method ?? '')
  assertBelongsTo(intent, method)
  assertUsable(method)
  return { ...intent, status: 'requires_confirmation', payment_method: method.object.id }
}

type NewIntent = Pick<CreateParams, 'amount' | 'currency'> &
  Partial<Pick<CreateParams, 'customer' | 'automatic_payment_methods'>>

export function newIntent(store: Store, params: NewIntent): Intent {
  const currency = checkedCurrency(store, params.amount, params.currency)
  const id = newId('payment_intent')
  const automatic = params.automatic_payment_methods
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: null,
    amount: params.amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods:
      automatic?.enabled === false
        ? null
        : { allow_redirects: automatic?.allow_redirects ?? 'always', enabled: true },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: newClientSecret(id),
    confirmation_method: 'automatic',
    created: store.clock.now(),
    currency,
    customer: params.customer ? idOf(referencedCustomer(store, params.customer)) : null,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: { enabled: false },
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: cardOptions('automatic') },
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
  }
}

function cardOptions(
  requestThreeDSecure: 'any' | 'automatic' | 'challenge',
): Stripe.PaymentIntent.PaymentMethodOptions.Card {
  return {
    installments: null,
    mandate_options: null,
    network: null,
    request_three_d_secure: requestThreeDSecure,
  }
}
