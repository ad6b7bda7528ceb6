import type Stripe from 'stripe'
import type { ThreeDSecureResult } from '../cards/issuer.ts'
import { newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { idOf } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import { operation } from '../http/operation.ts'
import { required, word } from '../http/params.ts'

/** Each confirmation is one attempt. The caller names it in the SetupIntent's `latest_attempt`. */
export function createSetupAttempt(
  store: Store,
  setup: Stripe.SetupIntent,
  method: Found<'payment_method'>,
  status: 'requires_action' | 'succeeded' | 'failed',
  {
    error = null,
    threeDSecure = null,
  }: { error?: Stripe.SetupAttempt.SetupError | null; threeDSecure?: ThreeDSecureResult | null } = {},
): Stripe.SetupAttempt {
  return store.insert(
    'setup_attempt',
    {
      id: newId('setup_attempt'),
      object: 'setup_attempt',
      application: null,
      created: store.clock.now(),
      customer: idOf(setup.customer),
      customer_account: null,
      flow_directions: null,
      livemode: false,
      on_behalf_of: null,
      payment_method: method.object.id,
      payment_method_details: { type: 'card', card: cardDetails(method, threeDSecure) },
      setup_error: error,
      setup_intent: setup.id,
      status,
      usage: setup.usage,
    },
    {},
  )
}

/** How an attempt that waited for the customer ended. */
export function endSetupAttempt(
  store: Store,
  setup: Stripe.SetupIntent,
  status: 'succeeded' | 'failed' | 'abandoned',
  {
    error = null,
    threeDSecure = null,
  }: { error?: Stripe.SetupAttempt.SetupError | null; threeDSecure?: ThreeDSecureResult | null } = {},
): void {
  const found = store.find('setup_attempt', idOf(setup.latest_attempt) ?? '')
  if (found?.object.status !== 'requires_action') return
  const { card } = found.object.payment_method_details
  store.save('setup_attempt', {
    ...found.object,
    status,
    setup_error: error,
    payment_method_details: {
      type: 'card',
      ...(card ? { card: { ...card, three_d_secure: threeDSecureDetails(threeDSecure) } } : {}),
    },
  })
}

export const setupAttemptOperations = [
  operation({
    method: 'GET',
    path: '/v1/setup_attempts',
    params: { ...listParams, setup_intent: required(word()) },
    handle({ store }, { setup_intent, ...page }) {
      const ofSetup = { sql: "data ->> '$.setup_intent' = ?", values: [setup_intent] }
      return listObjects(store, 'setup_attempt', '/v1/setup_attempts', page, [ofSetup])
    },
  }),
]

function cardDetails(
  { object }: Found<'payment_method'>,
  threeDSecure: ThreeDSecureResult | null,
): Stripe.SetupAttempt.PaymentMethodDetails.Card {
  const card = object.card
  if (!card) throw new Error(`${object.id} is no card`)
  return {
    brand: card.brand,
    checks: card.checks,
    country: card.country,
    exp_month: card.exp_month,
    exp_year: card.exp_year,
    fingerprint: card.fingerprint ?? null,
    funding: card.funding,
    last4: card.last4,
    network: card.brand,
    three_d_secure: threeDSecureDetails(threeDSecure),
    wallet: null,
  }
}

function threeDSecureDetails(
  result: ThreeDSecureResult | null,
): Stripe.SetupAttempt.PaymentMethodDetails.Card.ThreeDSecure | null {
  if (result === null) return null
  const challenged = result === 'authenticated'
  return {
    authentication_flow: challenged ? 'challenge' : null,
    electronic_commerce_indicator: challenged ? '05' : null,
    result,
    result_reason: result === 'attempt_acknowledged' ? 'card_not_enrolled' : null,
    transaction_id: null,
    version: '2.2.0',
  }
}
