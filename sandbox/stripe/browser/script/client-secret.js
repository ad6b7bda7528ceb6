import { IntegrationError, notInStandIn } from './errors.js'

/** Splits `pi_…_secret_…`; throws for anything else, without repeating the value. */
export function parseClientSecret(caller, clientSecret) {
  const match =
    typeof clientSecret === 'string' && /^((?:pi|seti)_[A-Za-z0-9]+)_secret_[A-Za-z0-9]+$/.exec(clientSecret)
  if (!match) {
    throw new IntegrationError(
      `Invalid value for ${caller}: clientSecret should be a client secret of the form \${id}_secret_\${secret}.`,
    )
  }
  if (match[1].startsWith('seti_')) throw notInStandIn(`${caller} with a SetupIntent`)
  return match[1]
}
