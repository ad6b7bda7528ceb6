import { IntegrationError } from './errors.js'

/** The two kinds of intents: how parameters, results, errors and addresses name them. */
export const PAYMENT = { object: 'payment_intent', result: 'paymentIntent', name: 'PaymentIntent' }
export const SETUP = { object: 'setup_intent', result: 'setupIntent', name: 'SetupIntent' }

/**
 * Splits `pi_…_secret_…` or `seti_…_secret_…` into the id and its kind; throws for anything else, without repeating the value. `wanted`
 * narrows the kind down.
 */
export function parseClientSecret(caller, clientSecret, wanted) {
  const match =
    typeof clientSecret === 'string' && /^((pi|seti)_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+$/.exec(clientSecret)
  if (!match) {
    throw new IntegrationError(
      `Invalid value for ${caller}: clientSecret should be a client secret of the form \${id}_secret_\${secret}.`,
    )
  }
  const kind = match[2] === 'seti' ? SETUP : PAYMENT
  if (wanted && kind !== wanted) {
    throw new IntegrationError(
      `Invalid value for ${caller}: clientSecret is of a ${kind.name}, where one of a ${wanted.name} is expected.`,
    )
  }
  return { id: match[1], kind }
}
