import { adminSql } from './db'
import { until } from './paid'
import { stripeSdk } from './stripe-sdk'

/**
 * Wait until we have handled all that Stripe has to tell of a customer so far. An event that is still on its way makes us look
 * at Stripe later, and see what the test does there next.
 */
export async function allHandled(customer: string): Promise<void> {
  await until(async () => {
    const { data: newest } = await stripeSdk().events.list({ limit: 100 })
    const theirs = newest.filter(({ data }) => 'customer' in data.object && data.object.customer === customer)
    const [waiting] = await adminSql()`select count(*)::int as n from private.webhook_events
      where event_id = any(${theirs.map(({ id }) => id)}) and status = 'pending'`
    return theirs.every(({ pending_webhooks }) => pending_webhooks === 0) && waiting?.n === 0
  })
}
