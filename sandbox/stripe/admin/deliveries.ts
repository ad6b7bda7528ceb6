import type { Store } from '../core/store.ts'

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
  const attemptsOf = store.db.prepare('select * from delivery_attempts where delivery = ? order by rowid')
  return store.db
    .prepare(
      `select d.id, d.event, d.state, d.next_attempt_at, e.type, o.data ->> '$.url' as url
       from deliveries d join events e on e.id = d.event left join objects o on o.id = d.endpoint
       order by d.id desc limit ?`,
    )
    .all(limit)
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

/** Deliver an event once more to every endpoint that ever got it. False for an unknown event. */
export function resendEvent(store: Store, event: string): boolean {
  return store.transaction(() => {
    if (!store.db.prepare('select 1 from events where id = ?').get(event)) return false
    store.db
      .prepare(
        `insert into deliveries (event, endpoint, state, next_attempt_at)
         select distinct event, endpoint, 'pending', ? from deliveries where event = ?`,
      )
      .run(store.clock.nowMs(), event)
    return true
  })
}
