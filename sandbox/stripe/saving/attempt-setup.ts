import type Stripe from 'stripe'
import { decideSetup, type ThreeDSecureResult } from '../cards/issuer.ts'
import { type Decline, testCard } from '../cards/test-cards.ts'
import { findFault } from '../chaos/faults.ts'
import { idOf } from '../core/resources.ts'
import type { Found } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { docUrl, missingParameter, type StripeError } from '../http/errors.ts'
import { cardDeclined, describeDecline } from '../payments/card-error.ts'
import { openChallenge, supersedeChallenges } from '../payments/challenge-store.ts'
import { attach } from '../payments/payment-methods.ts'
import { createSetupAttempt, endSetupAttempt } from './setup-attempts.ts'

type Setup = Stripe.SetupIntent
type PaymentMethod = Found<'payment_method'>
type SetupOptions = { useStripeSdk: boolean; returnUrl: string | null }

/**
 * Try to keep a card for later: kept, refused, or the bank wants to see the customer first.
 * @throws StripeError 402 when the card is refused; that is recorded all the same.
 */
export function attemptSetup(call: Call, setup: Setup, method: PaymentMethod, options: SetupOptions): Setup {
  const verdict = decideSetup({ ...situation(setup, method), authenticated: false })
  if (verdict.kind === 'challenge') return askForAction(call, setup, method, options)
  const { threeDSecure } = verdict
  if (verdict.kind === 'decline') throw refuse(call, setup, method, verdict.decline, threeDSecure)
  const attempt = createSetupAttempt(call.store, setup, method, 'succeeded', { threeDSecure })
  return keep(call, { ...setup, latest_attempt: attempt.id }, method, threeDSecure)
}

/** The customer passed the challenge: the bank decides now. */
export function finishAuthenticatedSetup(call: Call, setup: Setup, method: PaymentMethod): void {
  const verdict = decideSetup({ ...situation(setup, method), authenticated: true })
  if (verdict.kind === 'decline') {
    refuse(call, setup, method, verdict.decline, verdict.threeDSecure)
    return
  }
  endSetupAttempt(call.store, setup, 'succeeded', { threeDSecure: 'authenticated' })
  keep(call, setup, method, 'authenticated')
}

/** The challenge was failed: nothing is kept, the customer may try again. */
export function failSetupAuthentication(call: Call, setup: Setup, { object }: PaymentMethod): void {
  const error = {
    type: 'invalid_request_error' as const,
    code: 'setup_intent_authentication_failure' as const,
    doc_url: docUrl('setup_intent_authentication_failure'),
    message:
      'The latest attempt to set up the payment method has failed because authentication failed. You can provide payment_method_data or a new PaymentMethod to attempt to set it up again.',
    payment_method: object,
  }
  endSetupAttempt(call.store, setup, 'failed', { error })
  const failed = call.store.save('setup_intent', { ...withoutMethod(setup), last_setup_error: error })
  recordEvent(call, 'setup_intent.setup_failed', failed)
}

function situation(setup: Setup, { hidden }: PaymentMethod) {
  const asked = setup.payment_method_options?.card?.request_three_d_secure
  return {
    card: testCard(hidden.card),
    cvcGiven: hidden.cvcGiven,
    setUp: hidden.setUp,
    merchantAsks: asked === 'any' || asked === 'challenge',
  }
}

/** With a customer the card becomes theirs (stripe.E9). Authenticated once for payments without them, it can make those (stripe.C13). */
function keep(
  call: Call,
  setup: Setup,
  method: PaymentMethod,
  threeDSecure: ThreeDSecureResult | null,
): Setup {
  const customer = idOf(setup.customer)
  const object = customer ? attach(call, method, customer) : method.object
  const authenticated = setup.usage === 'off_session' && threeDSecure === 'authenticated'
  call.store.save('payment_method', object, {
    ...method.hidden,
    setUp: method.hidden.setUp || authenticated,
  })
  const kept = call.store.save('setup_intent', {
    ...setup,
    status: 'succeeded',
    last_setup_error: null,
    next_action: null,
    payment_method: object.id,
  })
  recordEvent(call, 'setup_intent.succeeded', kept)
  return kept
}

/** Record the refusal and return the error that tells of it. */
function refuse(
  call: Call,
  setup: Setup,
  method: PaymentMethod,
  decline: Decline,
  threeDSecure: ThreeDSecureResult | null,
): StripeError {
  const error = { ...describeDecline(decline), payment_method: method.object }
  endSetupAttempt(call.store, setup, 'failed', { error, threeDSecure })
  const attempt = createSetupAttempt(call.store, setup, method, 'failed', { error, threeDSecure })
  const failed = call.store.save('setup_intent', {
    ...withoutMethod(setup),
    last_setup_error: error,
    latest_attempt: attempt.id,
  })
  recordEvent(call, 'setup_intent.setup_failed', failed)
  return cardDeclined(decline, { payment_method: method.object, setup_intent: failed })
}

function askForAction(call: Call, setup: Setup, method: PaymentMethod, options: SetupOptions): Setup {
  if (!options.useStripeSdk && !options.returnUrl) throw missingParameter('return_url')
  const returnUrl = options.useStripeSdk ? null : options.returnUrl
  const token = openChallenge(call.store, { intent: setup, paymentMethod: method.object.id, returnUrl })
  const faults = call.store.chaos.decide({ point: 'challenge', subject: setup.id }, call.wishes)
  // The customer walks away: whatever is still answered changes nothing.
  if (findFault(faults, 'domain.challengeAbandoned')) supersedeChallenges(call.store, setup.id)
  const url = `${call.store.config.baseUrl}/3ds/${token}`
  const attempt = createSetupAttempt(call.store, setup, method, 'requires_action')
  const waiting = call.store.save('setup_intent', {
    ...setup,
    status: 'requires_action',
    last_setup_error: null,
    latest_attempt: attempt.id,
    next_action: options.useStripeSdk
      ? {
          type: 'use_stripe_sdk',
          use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url, source: token },
        }
      : { type: 'redirect_to_url', redirect_to_url: { url, return_url: returnUrl } },
    payment_method: method.object.id,
  })
  recordEvent(call, 'setup_intent.requires_action', waiting)
  return waiting
}

function withoutMethod(setup: Setup): Setup {
  return { ...setup, status: 'requires_payment_method', next_action: null, payment_method: null }
}
