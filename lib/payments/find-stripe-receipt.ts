import 'server-only'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { env } from '../env'
import { errorFields, log } from '../log'
import { askStripe } from '../stripe/server'
import { OpenPayment } from './open-payment'

/**
 * The address of Stripe's own receipt for one of the person's payments, where there is one. Whoever knows it may read it, so
 * it is asked for when it is shown and kept nowhere. Null as well when Stripe does not answer: the page has a receipt of ours.
 */
export async function findStripeReceipt({
  user,
  paymentId,
}: {
  user: User
  paymentId: string
}): Promise<string | null> {
  try {
    const known = await callService('payment_to_sync', { p_actor: user.id, p_payment_id: paymentId })
    const intentId = known === null ? null : OpenPayment.parse(known).intentId
    if (!intentId) return null
    const { latest_charge: charge } = await askStripe((stripe) =>
      stripe.paymentIntents.retrieve(intentId, { expand: ['latest_charge'] }),
    )
    const address = charge && typeof charge === 'object' ? charge.receipt_url : null
    return address && isStripes(address) ? address : null
  } catch (error) {
    log.warn('stripe_receipt_not_found', { paymentId, ...errorFields(error) })
    return null
  }
}

/** A link on a page of ours leads to Stripe or nowhere. */
function isStripes(address: string): boolean {
  const { protocol, hostname, origin } = new URL(address)
  const { apiBase } = env().stripe
  if (apiBase) return origin === new URL(apiBase).origin
  return protocol === 'https:' && (hostname === 'stripe.com' || hostname.endsWith('.stripe.com'))
}
