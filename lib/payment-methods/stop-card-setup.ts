import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { askStripe } from '../stripe/server'

/**
 * A card was refused: where its customer has to wait by now, the SetupIntent ends, since its next try would not come by our server.
 * Never throws, and is not insisted on: the next refusal comes by here again.
 */
export async function stopCardSetup(setupIntentId: string): Promise<void> {
  try {
    const isOver = await callService('is_card_setup_over', {
      p_livemode: env().livemode,
      p_setup_intent_id: setupIntentId,
    })
    if (!z.boolean().parse(isOver)) return
    await askStripe((stripe) => stripe.setupIntents.cancel(setupIntentId))
    log.info('card_setup_stopped', { intentId: setupIntentId })
  } catch (error) {
    log.warn('card_setup_not_stopped', { intentId: setupIntentId, ...errorFields(error) })
  }
}
