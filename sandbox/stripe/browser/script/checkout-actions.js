import { showChallenge } from './challenge.js'
import { connectionError, IntegrationError, notInStandIn } from './errors.js'
import { leaveFor } from './next-action.js'

/** Actions that need what the stand-in does not have (promotion codes typed in, tax, shipping…): they reject. */
const MISSING_ACTIONS = [
  'addOptionalLineItem',
  'applyPromotionCode',
  'removeOptionalLineItem',
  'removePromotionCode',
  'runServerUpdate',
  'updateBillingAddress',
  'updateBusinessName',
  'updateIndividualName',
  'updateLineItemQuantity',
  'updatePhoneNumber',
  'updateShippingAddress',
  'updateShippingOption',
  'updateTaxIdInfo',
  'validateElements',
]
const CONFIRM_OPTIONS = ['email', 'redirect', 'returnUrl']

/**
 * What pages can do with a session that has loaded. `checkout` holds it: `session()` as pages see it, `view()` as the server sent it,
 * `enterEmail()`, `reload()` and `send()`, which tell listeners of the change.
 */
export function createCheckoutActions(checkout) {
  const actions = {
    getSession: () => checkout.session(),
    async updateEmail(email) {
      const error = emailProblem(email)
      if (error) return failure(error)
      enterEmail(checkout, 'updateEmail()', email)
      return succeeded(checkout)
    },
    confirm: (options = {}) => confirmCheckoutSession(checkout, options),
  }
  for (const name of MISSING_ACTIONS) {
    actions[name] = async () => {
      throw notInStandIn(`checkout.${name}()`)
    }
  }
  return actions
}

async function confirmCheckoutSession(checkout, options) {
  const { email, redirect = 'always', returnUrl = checkout.view().return_url } = options
  const opener = document.activeElement
  checkConfirmOptions(options, redirect, returnUrl)
  if (email !== undefined) {
    const error = emailProblem(email)
    if (error) return failure(error)
    enterEmail(checkout, 'confirm()', email)
  }
  if (checkout.session().email === null) return failure({ code: null, message: 'Your email is incomplete.' })

  const { error, confirmation } = await checkout.send({ email: checkout.session().email })
  if (error) return failure(errorOf(error))
  const problem = await finish(checkout, confirmation.outcome, opener)
  if (problem) return failure(problem)
  return redirect === 'always' ? leaveFor(new URL(returnUrl)) : succeeded(checkout)
}

/** Lets the bank ask the customer if it wants to, then reads from Stripe how it went. Returns an error or null. */
async function finish(checkout, outcome, opener) {
  if (outcome.kind === 'declined') return paymentFailed(checkout, outcome.message)
  if (outcome.kind !== 'challenge') return null
  const shown = await showChallenge(outcome.url, opener)
  if (shown === 'unreachable') return errorOf(connectionError())
  const { error } = await checkout.reload()
  if (error) return errorOf(error)
  const { status, last_payment_error: failed } = checkout.view()
  if (status === 'complete') return null
  return paymentFailed(checkout, failed?.message ?? 'The authentication was closed before it was finished.')
}

function paymentFailed(checkout, message) {
  const declineCode = checkout.view().last_payment_error?.decline_code ?? null
  return { code: 'paymentFailed', message, paymentFailed: { declineCode } }
}

/** A card that Stripe refused before there was a payment (a wrong number) has failed too; all else has no code. */
function errorOf({ type, message, decline_code }) {
  if (type !== 'card_error') return { code: null, message }
  return { code: 'paymentFailed', message, paymentFailed: { declineCode: decline_code ?? null } }
}

function enterEmail(checkout, caller, email) {
  const known = checkout.view().email
  if (known !== null && known !== email) {
    throw new IntegrationError(`checkout.${caller}: the e-mail address of this session is set already.`)
  }
  checkout.enterEmail(email)
}

function emailProblem(email) {
  if (!email) return { code: 'incompleteEmail', message: 'Your email is incomplete.' }
  const valid = typeof email === 'string' && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(email)
  return valid ? null : { code: 'invalidEmail', message: 'Your email is invalid.' }
}

function checkConfirmOptions(options, redirect, returnUrl) {
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && !CONFIRM_OPTIONS.includes(name)) {
      throw notInStandIn(`checkout.confirm() with \`${name}\``)
    }
  }
  if (redirect !== 'always' && redirect !== 'if_required') {
    throw new IntegrationError("checkout.confirm(): redirect must be 'always' or 'if_required'.")
  }
  const protocol = URL.canParse(returnUrl) ? new URL(returnUrl).protocol : null
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new IntegrationError('checkout.confirm(): returnUrl must be an absolute http or https URL.')
  }
}

function succeeded(checkout) {
  return { type: 'success', session: checkout.session() }
}

function failure(error) {
  return { type: 'error', error }
}
