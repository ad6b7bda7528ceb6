import 'server-only'
import type { User } from '../auth/session'
import { AppError } from '../errors'
import { askAboutCards, findStripeCustomer } from './ask-about-cards'

const CARD_ID = /^(?:pm|card)_\w{1,100}$/

/**
 * Whose card this is, which has to be the person's own: Stripe is asked for it as one of their customer's.
 * @throws AppError not_found, the same for a card that does not exist and one that is somebody else's
 */
export async function requireOwnCard(
  user: User,
  paymentMethodId: string,
): Promise<{ cardId: string; stripeCustomerId: string }> {
  const stripeCustomerId = CARD_ID.test(paymentMethodId) ? await findStripeCustomer(user) : null
  if (!stripeCustomerId) throw new AppError('not_found')
  const { id } = await askAboutCards((stripe) =>
    stripe.customers.retrievePaymentMethod(stripeCustomerId, paymentMethodId),
  )
  return { cardId: id, stripeCustomerId }
}
