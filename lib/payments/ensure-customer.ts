import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { askStripe, createFailure, retryAfterSeconds, type Stripe } from '../stripe/server'
import { crashPoint } from './crash-point'

const Claim = z.object({
  customerId: z.uuid(),
  stripeCustomerId: z.string().nullable(),
  attempt: z.number().int(),
})
const MAX_ATTEMPTS_AT_ONCE = 2

/**
 * The person's Stripe customer, made on first use. Claimed in our database first and created with a key made from that
 * row, so any number of tabs ends up with one. Stripe gets our pseudonym and no name or address.
 * @throws AppError provider_unavailable
 */
export async function ensureStripeCustomer(user: User): Promise<string> {
  const { livemode } = env()
  const claim = Claim.parse(
    await callService('claim_stripe_customer', { p_actor: user.id, p_livemode: livemode }),
  )
  return claim.stripeCustomerId ?? (await makeStripeCustomer(claim))
}

/**
 * Make the Stripe customer of a claim, or learn the id of the one that was made and never noted: the key is the same.
 * @throws AppError provider_unavailable
 */
export async function makeStripeCustomer(claim: { customerId: string; attempt: number }): Promise<string> {
  const { livemode } = env()
  let { attempt } = claim
  for (let tries = 0; tries < MAX_ATTEMPTS_AT_ONCE; tries++) {
    const created = await create(claim.customerId, attempt)
    if (created !== 'key_spent') {
      crashPoint('customer.made')
      const linked = await callService('link_stripe_customer', {
        p_customer_id: claim.customerId,
        p_livemode: livemode,
        p_stripe_customer_id: created.id,
      })
      return z.string().parse(linked)
    }
    const next = { p_customer_id: claim.customerId, p_livemode: livemode, p_attempt: attempt }
    attempt = z.number().parse(await callService('next_customer_attempt', next))
  }
  throw new AppError('provider_unavailable', { retryAfterSeconds: 10 })
}

async function create(customerId: string, attempt: number): Promise<Stripe.Customer | 'key_spent'> {
  try {
    return await askStripe((stripe) =>
      stripe.customers.create(
        { metadata: { customer_id: customerId } },
        { idempotencyKey: `customer:${customerId}:${attempt}` },
      ),
    )
  } catch (error) {
    if (createFailure(error) === 'key_spent') return 'key_spent'
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
}
