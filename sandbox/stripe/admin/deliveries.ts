import type { Store } from '../core/store.ts'
import { endpointsFor } from '../events/endpoints.ts'
import { insertDeliveries } from '../events/outbox.ts'

export type DeliveryView = {
  id: number
  event: string
  type: string
  url: string | null
  state: 'pending' | 'delivered' | 'failed' | 'dropped'
  /** Unix milliseconds; null when nothing more is going to happen. */
  nextAttemptAt: number | null
  attempts: { at: number; status: number | null; error: string | null; durationMs: number }[]
}

/** Newest first. */
export function listDeliveries(store: Store, limit: number): DeliveryView[] {
  return select(store, 'true', [], limit)
}

/** All of one event, oldest first. */
export function deliveriesOf(store: Store, event: string): DeliveryView[] {
  return select(store, 'd.event = ?', [event], -1).reverse()
}

/**
 * Deliver an event once more to every endpoint that ever got it; when none did, to those that want such events now. Returns how many
 * these are; null for an unknown event.
 */
export function resendEvent(store: Store, event: string): number | null {
  return store.transaction(() => {
    const known = store.db.prepare('select type from events where id = ?').get(event)
    if (!known) return null
    const former = store.db
      .prepare('select distinct endpoint from deliveries where event = ?')
      .all(event)
      .map(({ endpoint }) => String(endpoint))
    const endpoints = former.length > 0 ? former : endpointsFor(store, String(known.type)).map(({ id }) => id)
    insertDeliveries(store, event, endpoints, [])
    return endpoints.length
  })
}

function select(store: Store, where: string, values: string[], limit: number): DeliveryView[] {
  const attemptsOf = store.db.prepare('select * from delivery_attempts where delivery = ? order by rowid')
  return store.db
    .prepare(
      `select d.id, d.event, d.state, d.next_attempt_at, e.type, o.data ->> '$.url' as url
       from deliveries d join events e on e.id = d.event left join objects o on o.id = d.endpoint
       where ${where} order by d.id desc limit ?`,
    )
    .all(...values, limit)
    .map((row) => ({
      id: Number(row.id),
      event: String(row.event),
      type: String(row.type),
      url: row.url === null ? null : String(row.url),
      state: row.state as DeliveryView['state'],
      nextAttemptAt: row.next_attempt_at === null ? null : Number(row.next_attempt_at),
      attempts: attemptsOf.all(Number(row.id)).map((attempt) => ({
        at: Number(attempt.at),
        status: attempt.status === null ? null : Number(attempt.status),
        error: attempt.error === null ? null : String(attempt.error),
        durationMs: Number(attempt.duration_ms),
      })),
    }))
}
