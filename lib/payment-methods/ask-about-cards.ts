import 'server-only'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError, isAppError } from '../errors'
import { askStripe, isNotFound, isUnknownCustomer, retryAfterSeconds, type Stripe } from '../stripe/server'

/** The person's customer at Stripe, or null while they have none. */
export async function findStripeCustomer(user: { id: string }): Promise<string | null> {
  const found = await callService('find_stripe_customer', { p_actor: user.id, p_livemode: env().livemode })
  return typeof found === 'string' ? found : null
}

/**
 * Ask Stripe about somebody's cards.
 * @throws AppError not_found when Stripe knows no such card or customer, else provider_unavailable
 */
export async function askAboutCards<Result>(ask: (stripe: Stripe) => Promise<Result>): Promise<Result> {
  try {
    return await askStripe(ask)
  } catch (error) {
    if (isAppError(error)) throw error
    if (isNotFound(error) || isUnknownCustomer(error)) throw new AppError('not_found', { cause: error })
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
}
