import type Stripe from 'stripe'
import type { Call } from '../http/call.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { assertClientSecret } from '../payments/intent-rules.ts'

type Setup = Stripe.SetupIntent

const OPEN = ['requires_payment_method', 'requires_confirmation', 'requires_action']

/** The SetupIntent of the address. A browser must know its client secret. */
export function getSetup(call: Call, id: string, clientSecret?: string): Setup {
  const found = call.store.find('setup_intent', id)
  if (!found) throw noSuch('setupintent', id, 'intent', 404)
  assertClientSecret(call, found.object, clientSecret)
  return found.object
}

export function assertSetupConfirmable(setup: Setup): void {
  if (OPEN.includes(setup.status)) return
  const message =
    setup.status === 'succeeded'
      ? 'You cannot confirm this SetupIntent because it has already succeeded.'
      : `You cannot confirm this SetupIntent because it has a status of ${setup.status}. Only a SetupIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.`
  throw unexpectedState(setup, message)
}

export function assertSetupHasMethod(setup: Setup): void {
  if (setup.payment_method !== null) return
  throw unexpectedState(
    setup,
    "You cannot confirm this SetupIntent because it's missing a payment method. Update the SetupIntent with a payment method and then confirm it again.",
  )
}

export function assertSetupCancelable(setup: Setup): void {
  if (OPEN.includes(setup.status)) return
  throw unexpectedState(
    setup,
    `You cannot cancel this SetupIntent because it has a status of ${setup.status}. Only a SetupIntent with one of the following statuses may be canceled: ${OPEN.join(', ')}.`,
  )
}

/** Whose card it is, and which, cannot change once it is decided. */
export function assertSetupOpenFor(setup: Setup, param: string): void {
  if (OPEN.includes(setup.status)) return
  throw unexpectedState(
    setup,
    `This SetupIntent's ${param} could not be updated because it has a status of ${setup.status}. You may only update the ${param} of a SetupIntent with one of the following statuses: ${OPEN.join(', ')}.`,
  )
}

function unexpectedState(setup: Setup, message: string): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'setup_intent_unexpected_state',
    message,
    setup_intent: setup,
  })
}
