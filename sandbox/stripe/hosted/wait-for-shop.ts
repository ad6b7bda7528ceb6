import type { Store } from '../core/store.ts'

/** The customer is not sent back to a shop that does not know yet, but is not kept for ever either (stripe.W16). */
const LONGEST_WAIT_MS = 10_000
const LOOK_EVERY_MS = 40

/** Until every endpoint was told once that the session is complete. Real time: nobody waits in another. */
export async function waitUntilTold(store: Store, session: string): Promise<void> {
  const deadline = performance.now() + LONGEST_WAIT_MS
  while (isWaiting(store, session) && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

function isWaiting(store: Store, session: string): boolean {
  const row = store.db
    .prepare(
      `select 1 from deliveries d join events e on e.id = d.event
       where e.type = 'checkout.session.completed' and e.data ->> '$.object.id' = ?
         and d.state = 'pending' and d.attempts = 0 limit 1`,
    )
    .get(session)
  return row !== undefined
}
