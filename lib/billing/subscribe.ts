import 'server-only'
import { z } from 'zod'
import type { User } from '../auth/session'
import { inWords } from '../db/in-words'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { crashPoint } from '../payments/crash-point'
import { ensureStripeCustomer } from '../payments/ensure-customer'
import { syncCheckout } from '../payments/sync-object'
import {
  askStripe,
  createFailure,
  isStripeOutage,
  isUnknownCustomer,
  retryAfterSeconds,
  type Stripe,
} from '../stripe/server'
import { ensurePrice } from './ensure-price'
import { Plan } from './list-plans'
import { providersPage } from './providers-page'

export const Checkout = z.object({
  id: z.uuid(),
  status: z.enum(['creating', 'open', 'complete', 'expired']),
  sessionId: z.string().nullable(),
  request: z.custom<Stripe.Checkout.SessionCreateParams>((value) => typeof value === 'object'),
  attempt: z.number().int(),
  version: z.number().int(),
  planId: z.uuid(),
})
export type Checkout = z.infer<typeof Checkout>
const Opened = Checkout.extend({ replace: z.boolean() })

/** Each round either ends or closes a page that was in the way. */
const MAX_ROUNDS = 4
const WORDS = { PW010: 'payments_paused', PW030: 'subscribed_already' } as const

/**
 * Where this person subscribes to a plan: a page of Stripe's. However often and wherever they ask, there is one page for a group
 * of plans, and none once they have a plan of it.
 * @throws AppError not_found, subscribed_already, payments_paused, provider_unavailable, unavailable
 */
export async function subscribe({ user, planId }: { user: User; planId: string }): Promise<{ url: string }> {
  const { livemode, appOrigin } = env()
  const about = { p_actor: user.id, p_livemode: livemode, p_plan_id: planId }
  const plan = Plan.parse(await inWords(callService('startable_plan', about), WORDS))
  const customer = await ensureStripeCustomer(user)
  const { price } = await ensurePrice(plan)
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const opened = await inWords(
      callService('open_checkout', {
        ...about,
        p_price_id: price,
        p_stripe_customer_id: customer,
        p_origin: appOrigin,
      }),
      WORDS,
    )
    crashPoint('checkout.opened')
    const url = await pageOf(Opened.parse(opened))
    if (url) return { url: providersPage(url) }
  }
  throw new AppError('unavailable', { retryAfterSeconds: 2 })
}

/** The page's address, or null when there is no such page any more. */
async function pageOf(checkout: z.infer<typeof Opened>): Promise<string | null> {
  const sessionId = checkout.sessionId ?? (await make(checkout))
  if (!sessionId) return null
  if (checkout.replace) await close(sessionId)
  try {
    return await syncCheckout({ id: sessionId, expectedVersion: checkout.version, source: 'app' })
  } catch (error) {
    throw isStripeOutage(error) ? away(error) : error
  }
}

/** The same key and the same frozen request, however often: one page. Null when there can be none. */
async function make({ id, request, attempt }: Checkout): Promise<string | null> {
  try {
    const session = await askStripe((stripe) =>
      stripe.checkout.sessions.create(request, { idempotencyKey: `checkout:${id}:${attempt}` }),
    )
    crashPoint('checkout.made')
    await callService('link_checkout', { p_checkout_id: id, p_session_id: session.id })
    return session.id
  } catch (error) {
    if (createFailure(error) === 'unknown') throw away(error)
    await callService('drop_checkout', { p_checkout_id: id })
    if (!isUnknownCustomer(error)) return null
    // Deleted at Stripe: whoever comes next gets a new one.
    const gone = { p_livemode: env().livemode, p_stripe_customer_id: request.customer ?? null }
    await callService('forget_stripe_customer', gone)
    throw away(error)
  }
}

/** What Stripe refuses is closed already, or was paid meanwhile: we learn which from what it says now. */
async function close(sessionId: string): Promise<void> {
  try {
    await askStripe((stripe) => stripe.checkout.sessions.expire(sessionId))
  } catch (error) {
    if (createFailure(error) !== 'refused') throw away(error)
  }
}

function away(error: unknown): AppError {
  return new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
}
