import type Stripe from 'stripe'
import { newEventId } from '../core/ids.ts'
import type { Call } from '../http/call.ts'
import { endpointsFor } from './endpoints.ts'
import { findEvent } from './events.ts'

/** The events this stand-in can tell of. The payload is the object as it was then (stripe.W11). */
export type EventType = Stripe.Event['type']

/**
 * Write an event and a delivery for each endpoint that wants it, in the transaction of the change it tells of. Sending is somebody
 * else's work, so it can neither be forgotten nor hold up the call.
 */
export function recordEvent(
  call: Call,
  type: EventType,
  object: { id: string; object: string },
  previousAttributes?: Record<string, unknown>,
): void {
  const { store, cause } = call
  const id = newEventId(type)
  const data = {
    object,
    ...(previousAttributes ? { previous_attributes: previousAttributes } : {}),
  }
  store.db
    .prepare(
      'insert into events (id, type, created, data, request_id, idempotency_key) values (?, ?, ?, ?, ?, ?)',
    )
    .run(id, type, store.clock.now(), JSON.stringify(data), cause.requestId, cause.idempotencyKey)

  const insert = store.db.prepare(
    "insert into deliveries (event, endpoint, state, next_attempt_at) values (?, ?, 'pending', ?)",
  )
  for (const endpoint of endpointsFor(store, type)) insert.run(id, endpoint.id, store.clock.nowMs())

  const recorded = store.config.observer && findEvent(store, id)
  if (recorded) store.config.observer?.event(recorded)
}
