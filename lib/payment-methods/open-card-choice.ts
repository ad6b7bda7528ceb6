import 'server-only'
import type { User } from '../auth/session'
import { isAppError } from '../errors'
import { askAboutCards, findStripeCustomer } from './ask-about-cards'

/**
 * What lets Stripe's own fields show the person their saved cards to choose from: good for half an hour and for this person's
 * cards alone. Null for somebody without any. Only cards that were saved to be shown again appear; they are added and removed
 * on the page of cards, where it is said what saving means.
 * @throws AppError provider_unavailable
 */
export async function openCardChoice({ user }: { user: User }): Promise<string | null> {
  const customer = await findStripeCustomer(user)
  if (!customer) return null
  const session = await askAboutCards((stripe) =>
    stripe.customerSessions.create({
      customer,
      components: {
        payment_element: {
          enabled: true,
          features: {
            payment_method_redisplay: 'enabled',
            payment_method_redisplay_limit: 10,
            payment_method_remove: 'disabled',
            payment_method_save: 'disabled',
          },
        },
      },
    }),
  ).catch((error: unknown) => {
    if (isAppError(error, 'not_found')) return null
    throw error
  })
  return session?.client_secret ?? null
}
