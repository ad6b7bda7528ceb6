import { until } from './paid'
import { stack } from './stack-in-test'

type Delivery = { state: 'pending' | 'delivered' | 'failed' | 'dropped'; nextAttemptAt: number | null }

/**
 * A refund finishes, a bank judges, and what has failed three times is sent again within this: half a minute later it would be
 * in the midst of whatever comes then. After that come minutes and days, and nobody waits for those.
 */
const SOON_MS = 35_000

/**
 * Wait until Stripe has done what it was to do by itself, settlements and refunds of earlier tests included, and each event of
 * it is delivered and done with.
 */
export async function untilStripeHasToldAll(): Promise<void> {
  await until(async () => {
    const { now, nextInMs } = await local<{ now: number; nextInMs: number | null }>('/clock')
    if (nextInMs !== null && nextInMs < SOON_MS) return false
    const { deliveries } = await local<{ deliveries: Delivery[] }>('/deliveries')
    const soon = now * 1000 + SOON_MS
    return deliveries.every(({ state, nextAttemptAt }) => state !== 'pending' || (nextAttemptAt ?? 0) > soon)
  }, 90_000)
}

async function local<T>(path: string): Promise<T> {
  const { env, localSecret } = stack()
  const response = await fetch(`${env.STRIPE_API_BASE}/_local${path}`, {
    headers: { authorization: `Bearer ${localSecret}` },
  })
  return (await response.json()) as T
}
