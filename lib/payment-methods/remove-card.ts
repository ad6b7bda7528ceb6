import 'server-only'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { askAboutCards } from './ask-about-cards'
import { requireOwnCard } from './own-card'

/**
 * Take a card away from the person's customer. Stripe cannot give it back: it has to be entered again.
 * @throws AppError not_found, provider_unavailable
 */
export async function removeCard({ user, cardId: given }: { user: User; cardId: string }): Promise<void> {
  const { cardId } = await requireOwnCard(user, given)
  await askAboutCards((stripe) => stripe.paymentMethods.detach(cardId))
  await callService('note_card_change', {
    p_actor: user.id,
    p_action: 'card.removed',
    p_payment_method_id: cardId,
  })
}
