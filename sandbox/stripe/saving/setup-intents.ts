import type Stripe from 'stripe'
import { withGiven } from '../core/changes.ts'
import { newClientSecret, newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { mergeMetadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { type ReadParams, unsupported, word } from '../http/params.ts'
import { supersedeChallenges } from '../payments/challenge-store.ts'
import { referencedCustomer } from '../payments/find-customer.ts'
import { assertBelongsTo, checkedReturnUrl, methodOf } from '../payments/intent-rules.ts'
import { assertUsable, createPaymentMethod, referencedPaymentMethod } from '../payments/payment-methods.ts'
import { attemptSetup } from './attempt-setup.ts'
import { withConfirmationToken } from './confirmation-tokens.ts'
import { endSetupAttempt } from './setup-attempts.ts'
import {
  cancelSetupParams,
  confirmSetupParams,
  createSetupParams,
  updateSetupParams,
} from './setup-params.ts'
import {
  assertSetupCancelable,
  assertSetupConfirmable,
  assertSetupHasMethod,
  assertSetupOpenFor,
  getSetup,
} from './setup-rules.ts'

type Setup = Stripe.SetupIntent
type CreateParams = ReadParams<typeof createSetupParams>
type UpdateParams = ReadParams<typeof updateSetupParams>
type ConfirmParams = ReadParams<typeof confirmSetupParams>

const CONFIRM_ONLY = ['return_url', 'confirmation_token'] as const

export const setupIntentOperations = [
  operation({ method: 'POST', path: '/v1/setup_intents', params: createSetupParams, handle: create }),
  operation({
    method: 'GET',
    path: '/v1/setup_intents/:id',
    publishable: true,
    params: { client_secret: word() },
    handle: (call, { client_secret }, { id }) => getSetup(call, id, client_secret),
  }),
  operation({
    method: 'POST',
    path: '/v1/setup_intents/:id',
    params: updateSetupParams,
    handle: (call, params, { id }) => update(call, getSetup(call, id), params),
  }),
  operation({
    method: 'POST',
    path: '/v1/setup_intents/:id/confirm',
    publishable: true,
    params: confirmSetupParams,
    handle: (call, params, { id }) => confirm(call, getSetup(call, id, params.client_secret), params),
  }),
  operation({
    method: 'POST',
    path: '/v1/setup_intents/:id/cancel',
    params: cancelSetupParams,
    handle(call, { cancellation_reason }, { id }) {
      const setup = getSetup(call, id)
      assertSetupCancelable(setup)
      giveUpWaiting(call.store, setup)
      const canceled = call.store.save('setup_intent', {
        ...setup,
        status: 'canceled',
        cancellation_reason: cancellation_reason ?? null,
        next_action: null,
      })
      recordEvent(call, 'setup_intent.canceled', canceled)
      return canceled
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/setup_intents',
    params: {
      ...listParams,
      customer: word(),
      payment_method: word(),
      ...unsupported('attach_to_self', 'customer_account'),
    },
    handle({ store }, { customer, payment_method, ...page }) {
      const conditions = [
        ...(customer ? [{ sql: 'customer = ?', values: [customer] }] : []),
        ...(payment_method ? [{ sql: "data ->> '$.payment_method' = ?", values: [payment_method] }] : []),
      ]
      return listObjects(store, 'setup_intent', '/v1/setup_intents', page, conditions)
    },
  }),
]

function create(call: Call, given: CreateParams): Setup {
  if (!given.confirm) {
    for (const name of CONFIRM_ONLY) {
      if (given[name] === undefined) continue
      throw invalidParameter(
        name,
        `The parameter ${name} cannot be passed when creating a SetupIntent unless confirm is set to true.`,
      )
    }
  }
  const blank = newSetup(call.store, given)
  const params = withConfirmationToken(call, given, blank)
  const created = withMethod(call, withStored(call.store, blank, params), params)
  call.store.insert('setup_intent', created, {})
  recordEvent(call, 'setup_intent.created', created)
  if (!params.confirm) return created
  assertSetupHasMethod(created)
  return attempt(call, created, params)
}

function update(call: Call, setup: Setup, params: UpdateParams): Setup {
  for (const name of ['customer', 'payment_method', 'payment_method_data'] as const) {
    if (params[name] !== undefined) assertSetupOpenFor(setup, name)
  }
  const changed = withMethod(call, withStored(call.store, setup, params), params)
  if (changed.payment_method === setup.payment_method) return call.store.save('setup_intent', changed)
  giveUpWaiting(call.store, setup)
  return call.store.save('setup_intent', { ...changed, next_action: null })
}

function confirm(call: Call, setup: Setup, given: ConfirmParams): Setup {
  assertSetupConfirmable(setup)
  giveUpWaiting(call.store, setup)
  const params = withConfirmationToken(call, given, setup)
  const ready = withMethod(call, withStored(call.store, setup, params), params)
  assertSetupHasMethod(ready)
  return attempt(call, ready, params)
}

function attempt(call: Call, setup: Setup, params: CreateParams | ConfirmParams): Setup {
  const method = methodOf(call.store, setup)
  assertUsable(method)
  return attemptSetup(call, setup, method, {
    useStripeSdk: params.use_stripe_sdk ?? false,
    returnUrl: params.return_url === undefined ? null : checkedReturnUrl(params.return_url),
  })
}

/** What the customer's bank was asked is no longer of interest. */
function giveUpWaiting(store: Store, setup: Setup): void {
  supersedeChallenges(store, setup.id)
  endSetupAttempt(store, setup, 'abandoned')
}

/** The parameters that are kept and given back as they are. */
function withStored(store: Store, setup: Setup, params: Partial<CreateParams & UpdateParams>): Setup {
  const { payment_method_options: options } = params
  return withGiven(setup, {
    allowed_payment_method_types: params.allowed_payment_method_types,
    customer: params.customer ? referencedCustomer(store, params.customer).id : undefined,
    description: params.description,
    excluded_payment_method_types: params.excluded_payment_method_types,
    metadata: mergeMetadata(setup.metadata ?? {}, params.metadata),
    payment_method_options: options?.card
      ? { card: cardOptions(options.card.request_three_d_secure ?? 'automatic') }
      : undefined,
  })
}

function withMethod(
  call: Call,
  setup: Setup,
  { payment_method, payment_method_data }: Pick<CreateParams, 'payment_method' | 'payment_method_data'>,
): Setup {
  if (payment_method && payment_method_data) {
    throw invalidParameter(
      'payment_method',
      'You may only specify one of these parameters: payment_method, payment_method_data.',
    )
  }
  if (!payment_method && !payment_method_data) return setup
  const method = payment_method_data
    ? createPaymentMethod(call, payment_method_data)
    : referencedPaymentMethod(call.store, payment_method ?? '')
  assertBelongsTo(setup, method)
  assertUsable(method)
  return { ...setup, status: 'requires_confirmation', payment_method: method.object.id }
}

type NewSetup = Partial<Pick<CreateParams, 'automatic_payment_methods' | 'usage'>>

/** Not yet kept: the caller adds whose card it will be, and inserts it. */
export function newSetup(store: Store, params: NewSetup): Setup {
  const id = newId('setup_intent')
  const automatic = params.automatic_payment_methods
  return {
    id,
    object: 'setup_intent',
    allowed_payment_method_types: null,
    application: null,
    automatic_payment_methods:
      automatic?.enabled === false
        ? null
        : { allow_redirects: automatic?.allow_redirects ?? 'always', enabled: true },
    cancellation_reason: null,
    client_secret: newClientSecret(id),
    created: store.clock.now(),
    customer: null,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: null,
    latest_attempt: null,
    livemode: false,
    managed_payments: { enabled: false },
    mandate: null,
    metadata: {},
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: { card: cardOptions('automatic') },
    payment_method_types: ['card'],
    single_use_mandate: null,
    status: 'requires_payment_method',
    usage: params.usage ?? 'off_session',
  }
}

function cardOptions(
  requestThreeDSecure: 'any' | 'automatic' | 'challenge',
): Stripe.SetupIntent.PaymentMethodOptions.Card {
  return { mandate_options: null, network: null, request_three_d_secure: requestThreeDSecure }
}
