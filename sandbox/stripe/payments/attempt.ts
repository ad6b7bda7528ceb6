import type Stripe from 'stripe'
import { AUTHENTICATION_REQUIRED, decide, type ThreeDSecureResult } from '../cards/issuer.ts'
import { type Decline, testCard } from '../cards/test-cards.ts'
import { findFault } from '../chaos/faults.ts'
import { scheduleJob } from '../core/jobs.ts'
import { idOf } from '../core/resources.ts'
import type { Found } from '../core/store.ts'
import { scheduleAftermath } from '../disputes/aftermath.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { missingParameter, type StripeError } from '../http/errors.ts'
import { cardDeclined, describeDecline } from './card-error.ts'
import { openChallenge, supersedeChallenges } from './challenge-store.ts'
import { AUTHORIZED_SECONDS, createCharge } from './charges.ts'
import { attach, spend } from './payment-methods.ts'
import { bookCharge } from './settle-charge.ts'

type Intent = Stripe.PaymentIntent
type PaymentMethod = Found<'payment_method'>

/** How the caller wants the payment to be tried. */
export type AttemptOptions = {
  offSession: boolean
  errorOnRequiresAction: boolean
  useStripeSdk: boolean
  returnUrl: string | null
  /** Nobody is there, and the payment of an invoice waits for the customer instead of failing. */
  askLater?: boolean
}

/**
 * Try to pay: approved, declined, or the bank wants to see the customer first (stripe.P3-P6).
 * @throws StripeError 402 when the card is declined; the decline is recorded all the same.
 */
export function attemptPayment(
  call: Call,
  intent: Intent,
  method: PaymentMethod,
  options: AttemptOptions,
): Intent {
  const verdict = decide({
    ...situation(call, intent, method),
    offSession: options.offSession,
    authenticated: false,
  })
  if (verdict.kind === 'approve') return approve(call, intent, method, verdict.threeDSecure)
  const nobodyThere = verdict.kind === 'decline' && verdict.decline === AUTHENTICATION_REQUIRED
  if (nobodyThere && options.askLater) return askForAction(call, intent, method, options)
  if (verdict.kind === 'decline') throw refuse(call, intent, method, verdict.decline, verdict.threeDSecure)
  if (options.errorOnRequiresAction) throw refuse(call, intent, method, AUTHENTICATION_REQUIRED, null)
  return askForAction(call, intent, method, options)
}

/** The customer passed the challenge: the bank decides now. Returns the intent, paid or waiting for another card. */
export function finishAuthenticated(call: Call, intent: Intent, method: PaymentMethod): Intent {
  const verdict = decide({ ...situation(call, intent, method), offSession: false, authenticated: true })
  if (verdict.kind !== 'decline') return approve(call, intent, method, 'authenticated')
  refuse(call, intent, method, verdict.decline, verdict.threeDSecure)
  return call.store.find('payment_intent', intent.id)?.object ?? intent
}

/** The challenge was failed: no charge was made, the customer may try again (stripe.P7). */
export function failAuthentication(call: Call, intent: Intent, method: PaymentMethod): Intent {
  const failed = call.store.save('payment_intent', {
    ...withoutMethod(intent),
    last_payment_error: {
      type: 'invalid_request_error',
      code: 'payment_intent_authentication_failure',
      doc_url: 'https://docs.stripe.com/error-codes#payment-intent-authentication-failure',
      message:
        'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
      payment_method: method.object,
    },
  })
  recordEvent(call, 'payment_intent.payment_failed', failed)
  return failed
}

function situation({ store }: Call, intent: Intent, { object, hidden }: PaymentMethod) {
  const asked = intent.payment_method_options?.card?.request_three_d_secure
  const card = testCard(hidden.card)
  return {
    // A card that was saved grows old. The bank says so whatever else it would have said.
    card: hasExpired(object.card, store.clock.now())
      ? { ...card, decline: EXPIRED, declineNeedsCvc: false }
      : card,
    cvcGiven: hidden.cvcGiven,
    setUp: hidden.setUp,
    merchantAsks: asked === 'any' || asked === 'challenge',
  }
}

const EXPIRED: Decline = { code: 'expired_card', declineCode: null }

/** A card is good through the last day of its month. */
function hasExpired(card: Stripe.PaymentMethod['card'], nowSeconds: number): boolean {
  return card !== undefined && Date.UTC(card.exp_year, card.exp_month, 1) / 1000 <= nowSeconds
}

function approve(
  call: Call,
  intent: Intent,
  method: PaymentMethod,
  threeDSecure: ThreeDSecureResult | null,
): Intent {
  const { store } = call
  const saved = saveForLater(call, intent, method, threeDSecure)
  let charge = createCharge(store, intent, saved, { decline: null, threeDSecure })
  if (intent.capture_method === 'manual') return hold(call, intent, method, charge)
  if (intent.capture_method === 'automatic') charge = bookCharge(store, charge)
  else scheduleJob(store, 'settle_charge', charge.id, store.config.settleDelayMs)

  const paid = store.save('payment_intent', {
    ...intent,
    status: 'succeeded',
    amount_received: intent.amount,
    last_payment_error: null,
    latest_charge: charge.id,
    next_action: null,
    payment_method: method.object.id,
  })
  recordEvent(call, 'charge.succeeded', charge)
  recordEvent(call, 'payment_intent.succeeded', paid)
  scheduleAftermath(store, charge)
  return paid
}

/** The bank holds the money until it is captured, for a week at most (stripe.P8, stripe.E7). */
function hold(call: Call, intent: Intent, method: PaymentMethod, charge: Stripe.Charge): Intent {
  const { store } = call
  const held = store.save('payment_intent', {
    ...intent,
    status: 'requires_capture',
    amount_capturable: intent.amount,
    last_payment_error: null,
    latest_charge: charge.id,
    next_action: null,
    payment_method: method.object.id,
  })
  scheduleJob(store, 'expire_authorization', intent.id, AUTHORIZED_SECONDS * 1000)
  recordEvent(call, 'charge.succeeded', charge)
  recordEvent(call, 'payment_intent.amount_capturable_updated', held)
  return held
}

/** Record the decline and return the error that tells of it. */
function refuse(
  call: Call,
  intent: Intent,
  method: PaymentMethod,
  decline: Decline,
  threeDSecure: ThreeDSecureResult | null,
): StripeError {
  const charge = createCharge(call.store, intent, method, { decline, threeDSecure })
  spend(call.store, method)
  const involved = { charge: charge.id, payment_method: method.object }
  const failed = call.store.save('payment_intent', {
    ...withoutMethod(intent),
    last_payment_error: { ...describeDecline(decline), ...involved },
    latest_charge: charge.id,
  })
  recordEvent(call, 'charge.failed', charge)
  recordEvent(call, 'payment_intent.payment_failed', failed)
  return cardDeclined(decline, { ...involved, payment_intent: failed })
}

function askForAction(call: Call, intent: Intent, method: PaymentMethod, options: AttemptOptions): Intent {
  if (!options.useStripeSdk && !options.returnUrl) throw missingParameter('return_url')
  const returnUrl = options.useStripeSdk ? null : options.returnUrl
  const token = openChallenge(call.store, { intent, paymentMethod: method.object.id, returnUrl })
  const faults = call.store.chaos.decide({ point: 'challenge', subject: intent.id }, call.wishes)
  // The customer walks away: whatever is still answered changes nothing.
  if (findFault(faults, 'domain.challengeAbandoned')) supersedeChallenges(call.store, intent.id)
  const url = `${call.store.config.baseUrl}/3ds/${token}`
  const waiting = call.store.save('payment_intent', {
    ...intent,
    status: 'requires_action',
    last_payment_error: null,
    next_action: options.useStripeSdk ? stripeSdkAction(url, token) : redirectAction(url, returnUrl),
    payment_method: method.object.id,
  })
  recordEvent(call, 'payment_intent.requires_action', waiting)
  return waiting
}

function stripeSdkAction(url: string, token: string): Stripe.PaymentIntent.NextAction {
  // The SDK leaves the inside of use_stripe_sdk open: it is between Stripe and Stripe.js.
  return {
    type: 'use_stripe_sdk',
    use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url, source: token },
  } as Stripe.PaymentIntent.NextAction
}

function redirectAction(url: string, returnUrl: string | null): Stripe.PaymentIntent.NextAction {
  return { type: 'redirect_to_url', redirect_to_url: { url, return_url: returnUrl } }
}

/** `setup_future_usage` with a customer keeps the card; an off-session one was authenticated for later. */
function saveForLater(
  call: Call,
  intent: Intent,
  method: PaymentMethod,
  threeDSecure: ThreeDSecureResult | null,
): PaymentMethod {
  if (!intent.setup_future_usage) {
    spend(call.store, method)
    return method
  }
  const customer = idOf(intent.customer)
  const object = customer ? attach(call, method, customer) : method.object
  const setUp =
    method.hidden.setUp || (intent.setup_future_usage === 'off_session' && threeDSecure === 'authenticated')
  const hidden = { ...method.hidden, setUp }
  call.store.save('payment_method', object, hidden)
  return { object, hidden, deleted: false }
}

function withoutMethod(intent: Intent): Intent {
  return { ...intent, status: 'requires_payment_method', next_action: null, payment_method: null }
}
