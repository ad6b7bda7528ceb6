import 'server-only'
import type { User } from '../auth/session'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'

/**
 * Take an order that was made for the person's e-mail address. From then on it is like any other of theirs.
 * @throws AppError not_found, the same for an order that does not exist, has ended, or waits for somebody else
 */
export async function claimOrder({ user, orderId }: { user: User; orderId: string }): Promise<void> {
  await inWords(
    callService('claim_order', { p_actor: user.id, p_livemode: env().livemode, p_order_id: orderId }),
  )
}
