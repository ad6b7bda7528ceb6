/** A mistake in the calling code, as Stripe.js reports it: thrown or rejected, never returned as `{error}`. */
export class IntegrationError extends Error {
  constructor(message) {
    super(message)
    this.name = 'IntegrationError'
  }
}

export function notInStandIn(what) {
  return new IntegrationError(`${what} is not part of the local Stripe stand-in.`)
}

/** What Stripe.js returns when its servers cannot be reached. */
export function connectionError() {
  return {
    type: 'api_connection_error',
    message: 'An error occurred with our connection to Stripe. Please check your network and try again.',
  }
}
