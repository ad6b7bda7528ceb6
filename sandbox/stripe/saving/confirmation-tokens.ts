import type Stripe from 'stripe'
import { recipient, toAddress } from '../core/address.ts'
import { newId } from '../core/ids.ts'
import type { TokenMethod } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { boolean, fields, oneOf, type ReadParams, unsupported, word } from '../http/params.ts'
import {
  insertPaymentMethod,
  newPaymentMethodParams,
  readPaymentMethod,
  referencedPaymentMethod,
} from '../payments/payment-methods.ts'

const LIFETIME_SECONDS = 12 * 60 * 60

const shared = {
  payment_method: word(),
  return_url: word(),
  setup_future_usage: oneOf('off_session', 'on_session'),
  shipping: recipient(),
}

const fromStripeJs = {
  ...shared,
  payment_method_data: fields(newPaymentMethodParams),
  use_stripe_sdk: boolean(),
}

export const confirmationTokenOperations = [
  operation({
    method: 'GET',
    path: '/v1/confirmation_tokens/:id',
    params: {},
    handle: ({ store }, _params, { id }) => getToken(store, id, 404).object,
  }),
  operation({
    method: 'POST',
    path: '/v1/test_helpers/confirmation_tokens',
    params: { ...shared, ...unsupported('payment_method_data', 'payment_method_options') },
    handle: (call, params) => createToken(call, { ...params, use_stripe_sdk: false }),
  }),
]

/** What Stripe.js does on behalf of `stripe.createConfirmationToken()`. */
export const stripeJsTokenOperation = operation({
  method: 'POST',
  path: '/v1/confirmation_tokens',
  publishable: true,
  contract: { method: 'GET', path: '/v1/confirmation_tokens/:id' },
  params: fromStripeJs,
  handle: (call, params) => createToken(call, { ...params, use_stripe_sdk: params.use_stripe_sdk ?? true }),
})

type Confirming = {
  confirmation_token?: string | undefined
  payment_method?: string | undefined
  payment_method_data?: unknown
}

/**
 * The parameters of a confirmation with those of its token added; what the request says itself takes precedence. The token is used up.
 * @throws StripeError for a token that does not exist, is over, or was used before.
 */
export function withConfirmationToken<P extends Confirming>(
  call: Call,
  params: P,
  intent: Stripe.PaymentIntent | Stripe.SetupIntent,
): P {
  if (!params.confirmation_token) return params
  const { object: token, hidden } = getToken(call.store, params.confirmation_token, 400)
  assertUnused(call.store, token)
  call.store.save('confirmation_token', {
    ...token,
    payment_intent: intent.object === 'payment_intent' ? intent.id : null,
    setup_intent: intent.object === 'setup_intent' ? intent.id : null,
  })
  const ownMethod = params.payment_method !== undefined || params.payment_method_data !== undefined
  const ofPayment =
    intent.object === 'payment_intent'
      ? {
          setup_future_usage: token.setup_future_usage ?? undefined,
          shipping: token.shipping ?? undefined,
        }
      : {}
  const fromToken = {
    ...(ownMethod ? {} : { payment_method: methodOfToken(call.store, hidden) }),
    ...ofPayment,
    return_url: token.return_url ?? undefined,
    use_stripe_sdk: token.use_stripe_sdk,
  }
  const given = Object.entries(params).filter(([, value]) => value !== undefined)
  return { ...params, ...fromToken, ...Object.fromEntries(given) }
}

function createToken(call: Call, params: Partial<ReadParams<typeof fromStripeJs>>): Stripe.ConfirmationToken {
  const { method, hidden } = tokenMethod(call, params)
  const now = call.store.clock.now()
  return call.store.insert(
    'confirmation_token',
    {
      id: newId('confirmation_token'),
      object: 'confirmation_token',
      created: now,
      expires_at: now + LIFETIME_SECONDS,
      livemode: false,
      mandate_data: null,
      metadata: null,
      payment_intent: null,
      payment_method_options: null,
      payment_method_preview: preview(method),
      return_url: params.return_url ?? null,
      setup_future_usage: params.setup_future_usage ?? null,
      setup_intent: null,
      shipping: params.shipping
        ? {
            address: toAddress(params.shipping.address),
            name: params.shipping.name,
            phone: params.shipping.phone ?? null,
          }
        : null,
      use_stripe_sdk: params.use_stripe_sdk ?? false,
    },
    hidden,
  )
}

function tokenMethod(
  call: Call,
  { payment_method, payment_method_data }: Partial<ReadParams<typeof fromStripeJs>>,
): { method: Stripe.PaymentMethod; hidden: TokenMethod } {
  if (payment_method && payment_method_data) {
    throw invalidParameter(
      'payment_method',
      'You may only specify one of these parameters: payment_method, payment_method_data.',
    )
  }
  if (payment_method) {
    const { object } = referencedPaymentMethod(call.store, payment_method)
    return { method: object, hidden: { saved: object.id } }
  }
  if (!payment_method_data) throw missingParameter('payment_method_data')
  const { object, kept } = readPaymentMethod(call, payment_method_data)
  return { method: object, hidden: { fresh: { object, card: kept.key, cvcGiven: kept.cvcGiven } } }
}

function methodOfToken(store: Store, hidden: TokenMethod): string {
  if ('saved' in hidden) return hidden.saved
  const { object, card, cvcGiven } = hidden.fresh
  return insertPaymentMethod(store, object, { key: card, cvcGiven }).object.id
}

function getToken(store: Store, id: string, status: 400 | 404) {
  const found = store.find('confirmation_token', id)
  if (!found) throw noSuch('confirmation token', id, 'confirmation_token', status)
  return found
}

function assertUnused(
  store: Store,
  { id, expires_at, payment_intent, setup_intent }: Stripe.ConfirmationToken,
) {
  const usedBy = payment_intent ?? setup_intent
  const over = (expires_at ?? 0) <= store.clock.now()
  if (!usedBy && !over) return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message: usedBy
      ? `The ConfirmationToken ${id} was already used to confirm ${usedBy}. A ConfirmationToken can be used once.`
      : `The ConfirmationToken ${id} has expired.`,
    param: 'confirmation_token',
  })
}

function preview(method: Stripe.PaymentMethod): Stripe.ConfirmationToken.PaymentMethodPreview {
  const { allow_redisplay, billing_details, card, customer } = method
  return {
    ...(allow_redisplay ? { allow_redisplay } : {}),
    billing_details,
    ...(card ? { card } : {}),
    customer: typeof customer === 'string' ? customer : null,
    customer_account: null,
    type: 'card',
  }
}
