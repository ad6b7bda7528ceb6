import { PAYMENT, parseClientSecret, SETUP } from './client-secret.js'
import { elementsInternals } from './elements.js'
import { IntegrationError, notInStandIn } from './errors.js'
import { callController } from './frames.js'
import { followNextAction, leaveFor } from './next-action.js'

export async function retrieveIntent(publishableKey, clientSecret, kind) {
  parseClientSecret(`stripe.retrieve${kind.name}()`, clientSecret, kind)
  return callController('retrieveIntent', { publishableKey, clientSecret })
}

export function confirmPayment(publishableKey, options) {
  return confirm(publishableKey, PAYMENT, 'stripe.confirmPayment()', options)
}

export function confirmSetup(publishableKey, options) {
  return confirm(publishableKey, SETUP, 'stripe.confirmSetup()', options)
}

/** With the fields of a Payment Element, a payment method that is known, or a confirmation token. */
async function confirm(publishableKey, kind, caller, options = {}) {
  const { elements, confirmParams = {}, redirect = 'always' } = options
  const opener = document.activeElement
  const group = elements && elementsInternals(caller, elements)
  const clientSecret = options.clientSecret ?? group?.options().clientSecret
  const { id } = parseClientSecret(caller, clientSecret, kind)
  checkRedirect(caller, redirect, confirmParams.return_url)
  if (group?.options().mode) assertSubmitted(caller, group)

  const mismatch = group && (await findMismatch(publishableKey, clientSecret, group.options(), kind))
  if (mismatch) return { error: mismatch }
  const confirmed = await confirmWith(publishableKey, { kind, caller, group, clientSecret, confirmParams })
  const result = await followNextAction(publishableKey, clientSecret, confirmed, opener)

  if (redirect !== 'always' || result.error) return result
  if (result[kind.result].status === 'requires_action') return { error: abandoned(result[kind.result], kind) }
  return leaveFor(returnAddress(confirmParams.return_url, id, clientSecret, kind))
}

async function confirmWith(publishableKey, { kind, caller, group, clientSecret, confirmParams }) {
  const known = confirmParams.payment_method || confirmParams.confirmation_token
  if (known) return callController('confirmIntent', { publishableKey, clientSecret, params: confirmParams })
  if (!group) {
    throw new IntegrationError(`${caller}: pass \`elements\`, or a payment method in \`confirmParams\`.`)
  }
  const collected = await group.collect()
  if (collected.error) return collected
  const params = withCollected(confirmParams, collected, kind === PAYMENT)
  return group.request('confirmIntent', { publishableKey, clientSecret, params })
}

export function assertSubmitted(caller, group) {
  if (group.wasSubmitted()) return
  throw new IntegrationError(
    `elements.submit() must be called before ${caller}. Call elements.submit() as soon as your customer presses pay, prior to any asynchronous work.`,
  )
}

/** Adds what the other elements of the group asked for. What the page says itself takes precedence. */
export function withCollected(params, { billing, shipping }, takesShipping) {
  const given = params.payment_method_data ?? {}
  const details = given.billing_details ?? {}
  const address = { ...billing?.address, ...details.address }
  const merged = { ...billing, ...details, ...(billing?.address ? { address } : {}) }
  return {
    ...(takesShipping && shipping ? { shipping } : {}),
    ...params,
    ...(billing ? { payment_method_data: { ...given, billing_details: merged } } : {}),
  }
}

/** `stripe.confirmCardPayment()` and `confirmCardSetup()`, for a payment method that is known; card Elements are not in the stand-in. */
export async function confirmCard(publishableKey, kind, clientSecret, data = {}, options = {}) {
  const opener = document.activeElement
  const caller = kind === SETUP ? 'stripe.confirmCardSetup()' : 'stripe.confirmCardPayment()'
  parseClientSecret(caller, clientSecret, kind)
  const { payment_method, ...params } = data
  if (payment_method !== undefined && typeof payment_method !== 'string') {
    throw notInStandIn(`${caller} with card details`)
  }
  const confirmed = await callController('confirmIntent', {
    publishableKey,
    clientSecret,
    params: payment_method ? { ...params, payment_method } : params,
  })
  if (options.handleActions === false) return confirmed
  return followNextAction(publishableKey, clientSecret, confirmed, opener)
}

/** A deferred Elements group was shown for one amount; a PaymentIntent over another must not be paid with it. */
async function findMismatch(publishableKey, clientSecret, { mode, amount, currency }, kind) {
  if (!mode) return null
  if ((mode === 'setup') !== (kind === SETUP)) {
    return {
      type: 'invalid_request_error',
      code: `${kind.object}_invalid_parameter`,
      message: `The mode '${mode}' given to stripe.elements() does not match a ${kind.name}.`,
    }
  }
  if (kind === SETUP) return null
  const { error, paymentIntent } = await callController('retrieveIntent', { publishableKey, clientSecret })
  if (error) return error
  if (paymentIntent.amount === amount && paymentIntent.currency === currency) return null
  return {
    type: 'invalid_request_error',
    code: 'payment_intent_invalid_parameter',
    message: 'The amount and currency given to stripe.elements() do not match those of the PaymentIntent.',
    payment_intent: paymentIntent,
  }
}

function checkRedirect(caller, redirect, returnUrl) {
  if (redirect !== 'always' && redirect !== 'if_required') {
    throw new IntegrationError(`${caller}: redirect must be 'always' or 'if_required'.`)
  }
  if (returnUrl === undefined && redirect === 'if_required') return
  const protocol = URL.canParse(returnUrl) ? new URL(returnUrl).protocol : null
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new IntegrationError(`${caller}: confirmParams.return_url must be an absolute http or https URL.`)
  }
}

function abandoned(intent, { object }) {
  return {
    type: 'invalid_request_error',
    code: `${object}_authentication_failure`,
    message: 'The authentication was closed before it was finished.',
    [object]: intent,
  }
}

function returnAddress(returnUrl, id, clientSecret, { object }) {
  const url = new URL(returnUrl)
  url.searchParams.set(object, id)
  url.searchParams.set(`${object}_client_secret`, clientSecret)
  url.searchParams.set('redirect_status', 'succeeded')
  return url
}
