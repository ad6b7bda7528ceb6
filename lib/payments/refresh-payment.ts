import 'server-only'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { AppError } from '../errors'
import { requireUuid } from '../http'
import { carryOutDecisionOn } from './carry-out-decisions'
import { ensureIntent } from './ensure-intent'
import { OpenPayment } from './open-payment'
import { isFinal } from './status'

/**
 * Ask Stripe about one of the person's own payments now, instead of waiting for its webhook.
 * @throws AppError not_found, provider_unavailable
 */
export async function refreshPayment({ user, paymentId }: { user: User; paymentId: string }): Promise<void> {
  const known = await callService('payment_to_sync', {
    p_actor: user.id,
    p_payment_id: requireUuid(paymentId),
  })
  if (known === null) throw new AppError('not_found')
  const payment = OpenPayment.parse(known)
  if (isFinal(payment.status)) return
  const { intent } = await ensureIntent(payment, 'sync')
  if (intent.status === 'requires_capture') await carryOutDecisionOn(intent.id, 'sync')
}
