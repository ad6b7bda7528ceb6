import { stripeSdk } from './stripe-sdk'

/** No webhook reaches us meanwhile. Stripe forgets deliveries to a disabled endpoint. */
export async function withoutWebhooks<Result>(act: () => Promise<Result>): Promise<Result> {
  const [endpoint] = (await stripeSdk().webhookEndpoints.list()).data
  const id = endpoint?.id ?? ''
  await stripeSdk().webhookEndpoints.update(id, { disabled: true })
  try {
    return await act()
  } finally {
    await stripeSdk().webhookEndpoints.update(id, { disabled: false })
  }
}
