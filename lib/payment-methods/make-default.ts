import 'server-only'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { askAboutCards } from './ask-about-cards'
import { requireOwnCard } from './own-card'

/**
 * Have what comes by itself, like the renewal of a subscription, charged to this card. Doing it twice is doing it once, so the
 * key is the SDK's own.
 * @throws AppError not_found, provider_unavailable
 */
export async function makeDefault({ user, cardId: given }: { user: User; cardId: string }): Promise<void> {
  const { cardId, stripeCustomerId } = await requireOwnCard(user, given)
  await askAboutCards((stripe) =>
    stripe.customers.update(stripeCustomerId, { invoice_settings: { default_payment_method: cardId } }),
  )
  await callService('note_card_change', {
    p_actor: user.id,
    p_action: 'card.made_default',
    p_payment_method_id: cardId,
  })
}
