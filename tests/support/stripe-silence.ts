import { until } from './paid'
import { stack } from './stack-in-test'

type Delivery = { state: 'pending' | 'delivered' | 'failed' | 'dropped'; attempts: unknown[] }

/** What has failed this often is tried again in half a minute or later: nobody waits for that. */
const SOON = 3
/** A refund finishes and a bank judges within this; the next deadline is days away. */
const SOON_MS = 30_000

/**
 * Wait until Stripe has done what it was to do by itself, settlements and refunds of earlier tests included, and each event of
 * it is delivered and done with.
 */
export async function untilStripeHasToldAll(): Promise<void> {
  await until(async () => {
    const { nextInMs } = await local<{ nextInMs: number | null }>('/clock')
    if (nextInMs !== null && nextInMs < SOON_MS) return false
    const { deliveries } = await local<{ deliveries: Delivery[] }>('/deliveries')
    return deliveries.every(({ state, attempts }) => state !== 'pending' || attempts.length >= SOON)
  })
}

async function local<T>(path: string): Promise<T> {
  const { env, localSecret } = stack()
  const response = await fetch(`${env.STRIPE_API_BASE}/_local${path}`, {
    headers: { authorization: `Bearer ${localSecret}` },
  })
  return (await response.json()) as T
}
