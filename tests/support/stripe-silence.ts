import { until } from './paid'
import { stack } from './stack-in-test'

type Delivery = { state: 'pending' | 'delivered' | 'failed' | 'dropped'; attempts: unknown[] }

/** What has failed this often is tried again in half a minute or later: nobody waits for that. */
const SOON = 3

/** Wait until each event that Stripe has made is delivered and done with, those of earlier tests included. */
export async function untilStripeHasToldAll(): Promise<void> {
  const { env, localSecret } = stack()
  await until(async () => {
    const response = await fetch(`${env.STRIPE_API_BASE}/_local/deliveries`, {
      headers: { authorization: `Bearer ${localSecret}` },
    })
    const { deliveries } = (await response.json()) as { deliveries: Delivery[] }
    return deliveries.every(({ state, attempts }) => state !== 'pending' || attempts.length >= SOON)
  })
}
