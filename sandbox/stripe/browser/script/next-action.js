import { showChallenge } from './challenge.js'
import { parseClientSecret } from './client-secret.js'
import { connectionError, IntegrationError, notInStandIn } from './errors.js'
import { callController } from './frames.js'

const FAILURES = { payment_intent: 'last_payment_error', setup_intent: 'last_setup_error' }

export async function handleNextAction(publishableKey, { clientSecret } = {}) {
  const opener = document.activeElement
  const { kind } = parseClientSecret('stripe.handleNextAction()', clientSecret)
  const retrieved = await callController('retrieveIntent', { publishableKey, clientSecret })
  if (retrieved.error) return retrieved
  if (retrieved[kind.result].status !== 'requires_action') {
    throw new IntegrationError(
      `handleNextAction: The ${kind.name} supplied is not in the requires_action state.`,
    )
  }
  return followNextAction(publishableKey, clientSecret, retrieved, opener)
}

/** Does what the intent asks of the customer, then reads how it went from Stripe, never from the challenge page. */
export async function followNextAction(publishableKey, clientSecret, result, opener) {
  if (result.error) return result
  const { kind } = parseClientSecret('stripe', clientSecret)
  const { status, next_action: action } = result[kind.result]
  if (status !== 'requires_action' || !action) return result
  if (action.type === 'redirect_to_url') return leaveFor(new URL(action.redirect_to_url.url))
  if (action.type !== 'use_stripe_sdk') throw notInStandIn(`The next action '${action.type}'`)

  const outcome = await showChallenge(action.use_stripe_sdk.stripe_js, opener)
  if (outcome === 'unreachable') return { error: connectionError() }
  const after = await callController('retrieveIntent', { publishableKey, clientSecret })
  if (after.error) return after
  const intent = after[kind.result]
  const failure = intent[FAILURES[kind.object]]
  if (intent.status === 'requires_payment_method' && failure) {
    return { error: { ...failure, [kind.object]: intent } }
  }
  return after
}

/** Leaves the page; the promise stays open so that callers do not act on a page that is going away. */
export function leaveFor(url) {
  location.assign(url)
  return new Promise(() => {})
}
