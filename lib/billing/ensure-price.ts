import 'server-only'
import { z } from 'zod'
import { callService } from '../db/sql'
import { env } from '../env'
import { AppError } from '../errors'
import { askStripe, isNotFound, retryAfterSeconds } from '../stripe/server'
import type { Plan } from './list-plans'

/**
 * The price at Stripe that stands for a plan, made on first use, and anew when the plan costs something else. Two servers at
 * once make one: the keys are those of the plan and its price.
 * @throws AppError provider_unavailable
 */
export async function ensurePrice(plan: Plan): Promise<{ price: string; product: string }> {
  if (plan.price && plan.product) return { price: plan.price, product: plan.product }
  const product = `paywright_${plan.id}`
  try {
    await ensureProduct(product, plan)
    const { amountMinor, currency, interval } = plan
    const made = await askStripe((stripe) =>
      stripe.prices.create(
        {
          product,
          currency,
          unit_amount: amountMinor,
          recurring: { interval },
          metadata: { plan_id: plan.id },
        },
        { idempotencyKey: `price:${plan.id}:${amountMinor}:${currency}:${interval}` },
      ),
    )
    const price = await callService('register_price', {
      p_livemode: env().livemode,
      p_plan_id: plan.id,
      p_price_id: made.id,
      p_product_id: product,
      p_amount_minor: amountMinor,
      p_currency: currency,
      p_interval: interval,
    })
    return { price: z.string().parse(price), product }
  } catch (error) {
    throw new AppError('provider_unavailable', { cause: error, retryAfterSeconds: retryAfterSeconds(error) })
  }
}

async function ensureProduct(id: string, plan: Plan): Promise<void> {
  try {
    await askStripe((stripe) => stripe.products.retrieve(id))
  } catch (error) {
    if (!isNotFound(error)) throw error
    await askStripe((stripe) =>
      stripe.products.create({ id, name: plan.name }, { idempotencyKey: `product:${id}` }),
    )
  }
}
