import type Stripe from 'stripe'
import { settlementCurrencyOf } from '../core/account.ts'
import { type AmountProblem, checkAmount, findCurrency, formatAmount } from '../core/currencies.ts'
import { canExchange, convert } from '../core/exchange.ts'
import { idOf } from '../core/resources.ts'
import type { Found, Store } from '../core/store.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter, noSuch, StripeError } from '../http/errors.ts'

type Intent = Stripe.PaymentIntent

const NAMES = { payment_intent: 'PaymentIntent', setup_intent: 'SetupIntent' }

const CONFIRMABLE = ['requires_payment_method', 'requires_confirmation', 'requires_action']
const CANCELABLE = [
  'requires_payment_method',
  'requires_capture',
  'requires_confirmation',
  'requires_action',
  'processing',
]

/** The currency in lower case. @throws StripeError when it is unknown or does not allow the amount. */
export function checkedCurrency(store: Store, amountMinor: number, code: string): string {
  const lower = code.toLowerCase()
  const currency = findCurrency(lower)
  if (!currency) throw invalidParameter('currency', `Invalid currency: ${lower.slice(0, 10)}`)
  const problem = checkAmount(amountMinor, lower, currency) ?? checkSettledAmount(store, amountMinor, lower)
  if (problem) throw invalidParameter('amount', problem.message, problem.code)
  return lower
}

/** What arrives after the exchange must be enough as well (stripe.A6). */
function checkSettledAmount(store: Store, amountMinor: number, code: string): AmountProblem | null {
  const settled = settlementCurrencyOf(store, code)
  if (!canExchange(code, settled)) {
    throw invalidParameter('currency', `local stand-in: there is no exchange rate from ${code} to ${settled}`)
  }
  const minimum = findCurrency(settled)?.minimum ?? 0
  const arriving = convert(amountMinor, code, settled)
  if (arriving >= minimum) return null
  return {
    code: 'amount_too_small',
    message: `Amount must convert to at least ${formatAmount(minimum, settled)}. ${formatAmount(amountMinor, code)} converts to approximately ${formatAmount(arriving, settled)}.`,
  }
}

export function checkedReturnUrl(url: string): string {
  if (URL.canParse(url)) return url
  throw invalidParameter('return_url', 'Not a valid URL', 'url_invalid')
}

/** The PaymentIntent of the address. A browser must know its client secret (stripe.P18). */
export function getIntent(call: Call, id: string, clientSecret?: string): Intent {
  const found = call.store.find('payment_intent', id)
  if (!found) throw noSuch('payment_intent', id, 'intent', 404)
  assertClientSecret(call, found.object, clientSecret)
  return found.object
}

export function assertClientSecret(
  call: Call,
  intent: Stripe.PaymentIntent | Stripe.SetupIntent,
  clientSecret: string | undefined,
): void {
  if (call.key === 'publishable' && clientSecret === undefined) throw missingParameter('client_secret')
  if (clientSecret === undefined || clientSecret === intent.client_secret) return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    code: `${intent.object}_invalid_parameter`,
    message: `The client_secret provided does not match the client_secret associated with the ${NAMES[intent.object]}.`,
    param: 'client_secret',
  })
}

export function assertConfirmable(intent: Intent): void {
  if (CONFIRMABLE.includes(intent.status)) return
  const message =
    intent.status === 'succeeded'
      ? 'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.'
      : `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.`
  throw unexpectedState(intent, message)
}

export function assertHasMethod(intent: Intent): void {
  if (intent.payment_method !== null) return
  throw unexpectedState(
    intent,
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method.",
  )
}

export function assertCancelable(intent: Intent): void {
  if (CANCELABLE.includes(intent.status)) return
  throw unexpectedState(
    intent,
    `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${CANCELABLE.join(', ')}.`,
  )
}

/** What a Checkout Session is paid with goes with the session (stripe.P12), unless the money is held already. */
export function assertNotOfCheckout(store: Store, intent: Intent): void {
  if (intent.status === 'requires_capture') return
  const [session] = store.select('checkout.session', [
    { sql: "data ->> '$.payment_intent' = ? and data ->> '$.status' = 'open'", values: [intent.id] },
  ])
  if (!session) return
  throw unexpectedState(
    intent,
    `You cannot cancel this PaymentIntent because it was created by a Checkout Session. Expire the Checkout Session ${session.object.id} instead.`,
  )
}

export function assertCapturable(intent: Intent): void {
  if (intent.status === 'requires_capture') return
  throw unexpectedState(
    intent,
    `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
  )
}

/** Some things about a payment cannot change once it is decided. */
export function assertOpenFor(intent: Intent, param: string): void {
  if (CONFIRMABLE.includes(intent.status)) return
  throw unexpectedState(
    intent,
    `This PaymentIntent's ${param} could not be updated because it has a status of ${intent.status}. You may only update the ${param} of a PaymentIntent with one of the following statuses: ${CONFIRMABLE.join(', ')}.`,
  )
}

/** A card saved for a customer is used for that customer only. */
export function assertBelongsTo(
  intent: Stripe.PaymentIntent | Stripe.SetupIntent,
  { object }: Found<'payment_method'>,
): void {
  const owner = idOf(object.customer)
  if (owner === null || owner === idOf(intent.customer)) return
  throw new StripeError(400, {
    type: 'invalid_request_error',
    message: intent.customer
      ? `The customer does not have a payment method with the ID ${object.id}. The payment method must be attached to the customer.`
      : `The payment method ${object.id} belongs to a customer. Please include the customer in the \`customer\` parameter on the ${NAMES[intent.object]}.`,
    param: 'payment_method',
  })
}

/** The payment method an intent is to be confirmed with. */
export function methodOf(
  store: Store,
  intent: Stripe.PaymentIntent | Stripe.SetupIntent,
): Found<'payment_method'> {
  const id = idOf(intent.payment_method)
  const found = id === null ? null : store.find('payment_method', id)
  if (!found) throw new Error(`${intent.id} has no payment method`)
  return found
}

function unexpectedState(intent: Intent, message: string): StripeError {
  return new StripeError(400, {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    message,
    payment_intent: intent,
  })
}
