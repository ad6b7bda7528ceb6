import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { sha256 } from '../payments/facts'
import { askStripe, retryAfterSeconds, type Stripe } from '../stripe/server'
import { ensurePrice } from './ensure-price'
import { listPlans } from './list-plans'
import { providersPage } from './providers-page'

/**
 * Stripe's portal for this person: another plan, another card, cancel at the end of the period, resume.
 * @throws AppError not_found for somebody who never subscribed; provider_unavailable
 */
export async function openPortal({ user }: { user: User }): Promise<{ url: string }> {
  const { livemode, appOrigin } = env()
  const known = await inWords(callService('portal_of', { p_actor: user.id, p_livemode: livemode }))
  const customer = z.string().parse(known)
  try {
    const configuration = await ensureConfiguration()
    const session = await askStripe((stripe) =>
      stripe.billingPortal.sessions.create({
        customer,
        configuration,
        return_url: `${appOrigin}/subscription`,
      }),
    )
    return { url: providersPage(session.url) }
  } catch (error) {
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
}

/** How the portal is to be, made at Stripe once for each state of our plans. */
async function ensureConfiguration(): Promise<string> {
  const products = []
  for (const plan of await listPlans()) {
    const { product, price } = await ensurePrice(plan)
    products.push({ product, prices: [price] })
  }
  const features: Stripe.BillingPortal.ConfigurationCreateParams.Features = {
    invoice_history: { enabled: true },
    payment_method_update: { enabled: true },
    subscription_cancel: { enabled: true, mode: 'at_period_end' },
    subscription_update: {
      enabled: true,
      default_allowed_updates: ['price'],
      proration_behavior: 'create_prorations',
      products,
    },
  }
  const fingerprint = await sha256(JSON.stringify(features))
  const key = { p_livemode: env().livemode, p_fingerprint: fingerprint }
  const known = z
    .string()
    .nullable()
    .parse(await callService('portal_configuration', key))
  if (known) return known
  const made = await askStripe((stripe) =>
    stripe.billingPortal.configurations.create(
      { features },
      { idempotencyKey: `portal:${fingerprint.slice(0, 32)}` },
    ),
  )
  return z.string().parse(await callService('portal_configuration', { ...key, p_configuration_id: made.id }))
}
