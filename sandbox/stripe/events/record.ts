import type Stripe from 'stripe'
import { type Fault, findFault } from '../chaos/faults.ts'
import { newEventId } from '../core/ids.ts'
import type { Call } from '../http/call.ts'
import { endpointsFor } from './endpoints.ts'
import { findEvent } from './events.ts'
import { insertDeliveries } from './outbox.ts'

/** The events this stand-in can tell of. The payload is the object as it was then (stripe.W11). */
export type EventType = Stripe.Event['type']

export type HeldEvent = {
  type: EventType
  object: { id: string; object: string }
  previousAttributes: Record<string, unknown> | undefined
}

/**
 * Tell of a change. What else has to change because of it does so now, in the same transaction; the event itself is written now, or
 * later when the call holds its events back.
 */
export function recordEvent(
  call: Call,
  type: EventType,
  object: { id: string; object: string },
  previousAttributes?: Record<string, unknown>,
): void {
  const event = { type, object, previousAttributes }
  if (call.held) call.held.push(event)
  else writeEvent(call, event)
  call.store.react(call, type, object.id)
}

/** Write the events that `work` brings about in this order of types; others follow as they came. */
export function tellInOrder<T>(call: Call, order: EventType[], work: (call: Call) => T): T {
  const held: HeldEvent[] = []
  const rank = ({ type }: HeldEvent) => (order.includes(type) ? order.indexOf(type) : order.length)
  try {
    return work({ ...call, held })
  } finally {
    for (const event of held.toSorted((a, b) => rank(a) - rank(b))) {
      if (call.held) call.held.push(event)
      else writeEvent(call, event)
    }
  }
}

/**
 * Write an event and a delivery for each endpoint that wants it, in the transaction of the change it tells of. Sending is somebody
 * else's work, so it can neither be forgotten nor hold up the call.
 */
function writeEvent(call: Call, { type, object, previousAttributes }: HeldEvent): void {
  const { store } = call
  const data = {
    object,
    ...(previousAttributes ? { previous_attributes: previousAttributes } : {}),
  }
  const subject = `${type} ${object.id}`
  const faults = store.chaos.decide({ point: 'event', eventType: type, subject }, call.wishes)
  const endpoints = endpointsFor(store, type).map(({ id }) => id)

  const id = insertEvent(call, type, data)
  insertDeliveries(store, id, endpoints, faults)
  const recorded = store.config.observer && findEvent(store, id)
  if (recorded) store.config.observer?.event(recorded)

  for (const extra of additionalTypes(type, faults)) {
    insertDeliveries(store, insertEvent(call, extra, data), endpoints, [])
  }
}

function insertEvent({ store, cause }: Call, type: string, data: object): string {
  const id = newEventId(type)
  store.db
    .prepare(
      'insert into events (id, type, created, data, request_id, idempotency_key) values (?, ?, ?, ?, ?, ?)',
    )
    .run(id, type, store.clock.now(), JSON.stringify(data), cause.requestId, cause.idempotencyKey)
  return id
}

/** Two Event objects for one change (stripe.W10); an event of a type the receiver has never heard of. */
function additionalTypes(type: string, faults: Fault[]): string[] {
  return [
    ...(findFault(faults, 'webhook.twin') ? [type] : []),
    ...(findFault(faults, 'webhook.unknownType') ? [`${type.split('.')[0]}.unheard_of`] : []),
  ]
}
