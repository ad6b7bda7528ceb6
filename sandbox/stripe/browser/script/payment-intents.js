import { showChallenge } from './challenge.js'
import { parseClientSecret } from './client-secret.js'
import { elementsInternals } from './elements.js'
import { connectionError, IntegrationError, notInStandIn } from './errors.js'
import { callController } from './frames.js'

export async function retrievePaymentIntent(publishableKey, clientSecret) {
  parseClientSecret('stripe.retrievePaymentIntent()', clientSecret)
  return callController('retrievePaymentIntent', { publishableKey, clientSecret })
}

/** `stripe.confirmPayment()`, with the fields of a Payment Element or with a saved payment method. */
export async function confirmPayment(publishableKey, options = {}) {
  const { elements, confirmParams = {}, redirect = 'always' } = options
  const opener = document.activeElement
  const group = elements && elementsInternals(elements)
  const clientSecret = options.clientSecret ?? group?.options().clientSecret
  const intentId = parseClientSecret('stripe.confirmPayment()', clientSecret)
  checkRedirect(redirect, confirmParams.return_url)
  if (group?.options().mode && !group.wasSubmitted()) {
    throw new IntegrationError(
      'elements.submit() must be called before stripe.confirmPayment(). Call elements.submit() as soon as your customer presses pay, prior to any asynchronous work.',
    )
  }

  const mismatch =
    group?.options().mode && (await findMismatch(publishableKey, clientSecret, group.options()))
  if (mismatch) return { error: mismatch }
  const request = { publishableKey, clientSecret, params: confirmParams }
  const usesFields = !confirmParams.payment_method && !confirmParams.confirmation_token
  if (usesFields && !group) {
    throw new IntegrationError(
      'stripe.confirmPayment(): pass `elements`, or a payment method in `confirmParams`.',
    )
  }
  const confirmed = usesFields
    ? await group.request('confirmPaymentIntent', request)
    : await callController('confirmPaymentIntent', request)
  const result = await followNextAction(publishableKey, clientSecret, confirmed, opener)

  if (redirect !== 'always' || result.error) return result
  if (result.paymentIntent.status === 'requires_action') return { error: abandoned(result.paymentIntent) }
  return leaveFor(returnAddress(confirmParams.return_url, intentId, clientSecret))
}

/** `stripe.confirmCardPayment()` for a payment method that is already known; card Elements are not in the stand-in. */
export async function confirmCardPayment(publishableKey, clientSecret, data = {}, options = {}) {
  const opener = document.activeElement
  parseClientSecret('stripe.confirmCardPayment()', clientSecret)
  const { payment_method, ...params } = data
  if (payment_method !== undefined && typeof payment_method !== 'string') {
    throw notInStandIn('stripe.confirmCardPayment() with card details')
  }
  const confirmed = await callController('confirmPaymentIntent', {
    publishableKey,
    clientSecret,
    params: payment_method ? { ...params, payment_method } : params,
  })
  if (options.handleActions === false) return confirmed
  return followNextAction(publishableKey, clientSecret, confirmed, opener)
}

export async function handleNextAction(publishableKey, { clientSecret } = {}) {
  const opener = document.activeElement
  parseClientSecret('stripe.handleNextAction()', clientSecret)
  const retrieved = await callController('retrievePaymentIntent', { publishableKey, clientSecret })
  if (retrieved.error) return retrieved
  if (retrieved.paymentIntent.status !== 'requires_action') {
    throw new IntegrationError(
      'handleNextAction: The PaymentIntent supplied is not in the requires_action state.',
    )
  }
  return followNextAction(publishableKey, clientSecret, retrieved, opener)
}

/** Does what the intent asks of the customer, then reads how it went from Stripe, never from the challenge page. */
async function followNextAction(publishableKey, clientSecret, result, opener) {
  const action = result.paymentIntent?.next_action
  if (result.error || result.paymentIntent.status !== 'requires_action' || !action) return result
  if (action.type === 'redirect_to_url') return leaveFor(new URL(action.redirect_to_url.url))
  if (action.type !== 'use_stripe_sdk') throw notInStandIn(`The next action '${action.type}'`)

  const outcome = await showChallenge(action.use_stripe_sdk.stripe_js, opener)
  if (outcome === 'unreachable') return { error: connectionError() }
  const after = await callController('retrievePaymentIntent', { publishableKey, clientSecret })
  if (after.error) return after
  const { status, last_payment_error: failure } = after.paymentIntent
  if (status === 'requires_payment_method' && failure) {
    return { error: { ...failure, payment_intent: after.paymentIntent } }
  }
  return after
}

/** A deferred Elements group was shown for one amount; a PaymentIntent over another must not be paid with it. */
async function findMismatch(publishableKey, clientSecret, { amount, currency }) {
  const { error, paymentIntent } = await callController('retrievePaymentIntent', {
    publishableKey,
    clientSecret,
  })
  if (error) return error
  if (paymentIntent.amount === amount && paymentIntent.currency === currency) return null
  return {
    type: 'invalid_request_error',
    code: 'payment_intent_invalid_parameter',
    message: 'The amount and currency given to stripe.elements() do not match those of the PaymentIntent.',
    payment_intent: paymentIntent,
  }
}

function checkRedirect(redirect, returnUrl) {
  if (redirect !== 'always' && redirect !== 'if_required') {
    throw new IntegrationError("stripe.confirmPayment(): redirect must be 'always' or 'if_required'.")
  }
  if (returnUrl === undefined && redirect === 'if_required') return
  const protocol = URL.canParse(returnUrl) ? new URL(returnUrl).protocol : null
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new IntegrationError(
      'stripe.confirmPayment(): confirmParams.return_url must be an absolute http or https URL.',
    )
  }
}

function abandoned(paymentIntent) {
  return {
    type: 'invalid_request_error',
    code: 'payment_intent_authentication_failure',
    message: 'The authentication was closed before it was finished.',
    payment_intent: paymentIntent,
  }
}

function returnAddress(returnUrl, intentId, clientSecret) {
  const url = new URL(returnUrl)
  url.searchParams.set('payment_intent', intentId)
  url.searchParams.set('payment_intent_client_secret', clientSecret)
  url.searchParams.set('redirect_status', 'succeeded')
  return url
}

/** Leaves the page; the promise stays open so that callers do not act on a page that is going away. */
function leaveFor(url) {
  location.assign(url)
  return new Promise(() => {})
}
