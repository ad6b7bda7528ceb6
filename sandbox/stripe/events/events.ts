import type { SQLInputValue } from 'node:sqlite'
import type Stripe from 'stripe'
import { API_VERSION } from '../config.ts'
import { createdBetween, listPage, listParams } from '../core/list.ts'
import type { Condition, Store } from '../core/store.ts'
import { noSuch, StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { boolean, list, word } from '../http/params.ts'

type Row = Record<string, SQLInputValue>

/** The event as the API shows it now; the payload is fixed, `pending_webhooks` counts down. Null for an unknown id. */
export function findEvent(store: Store, id: string): Stripe.Event | null {
  const row = store.db.prepare('select * from events where id = ?').get(id)
  return row ? renderEvent(store, row as Row) : null
}

function renderEvent(store: Store, row: Row, apiVersion: string = API_VERSION): Stripe.Event {
  const pending = store.db
    .prepare("select count(*) as count from deliveries where event = ? and state in ('pending', 'failed')")
    .get(String(row.id))
  const event = {
    id: String(row.id),
    object: 'event',
    api_version: apiVersion,
    created: Number(row.created),
    data: JSON.parse(String(row.data)),
    livemode: false,
    pending_webhooks: Number(pending?.count),
    request: {
      id: row.request_id as string | null,
      idempotency_key: row.idempotency_key as string | null,
    },
    type: String(row.type) as Stripe.Event['type'],
  } satisfies Stripe.EventBase
  // Stripe.Event is a union over `type`; recordEvent() chose type and payload together.
  return event as unknown as Stripe.Event
}

export const eventOperations = [
  operation({
    method: 'GET',
    path: '/v1/events/:id',
    params: {},
    handle({ store }, _params, { id }) {
      const event = findEvent(store, id)
      if (!event) throw noSuch('event', id, 'id', 404)
      return event
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/events',
    params: {
      ...listParams,
      type: word(),
      types: list(word(), { max: 20 }),
      delivery_success: boolean(),
    },
    handle({ store }, { type, types, delivery_success, ...page }) {
      if (type && types) {
        throw new StripeError(
          400,
          {
            type: 'invalid_request_error',
            message: 'You may specify only one of these parameters: type, types.',
          },
          { beforeExecution: true },
        )
      }
      const conditions = [
        ...createdBetween(page.created),
        ...ofTypes(types ?? (type ? [type] : null)),
        ...delivered(delivery_success),
      ]
      return listPage('/v1/events', page, 'events', store, (paging, limit, oldestFirst) =>
        select(store, [...conditions, ...paging], limit, oldestFirst),
      )
    },
  }),
]

function select(store: Store, conditions: Condition[], limit: number, oldestFirst: boolean): Stripe.Event[] {
  const where = ['true', ...conditions.map(({ sql }) => sql)].join(' and ')
  return store.db
    .prepare(`select * from events where ${where} order by seq ${oldestFirst ? 'asc' : 'desc'} limit ?`)
    .all(...conditions.flatMap(({ values }) => values), limit)
    .map((row) => renderEvent(store, row as Row))
}

/** `payment_intent.*` stands for all of that group. */
function ofTypes(types: string[] | null): Condition[] {
  if (!types) return []
  const values = types.map((type) => type.replace(/[[?]/g, ''))
  return [{ sql: `(${values.map(() => 'type glob ?').join(' or ')})`, values }]
}

/** False: still on the way to some endpoint, or given up (stripe.W14). */
function delivered(success: boolean | undefined): Condition[] {
  if (success === undefined) return []
  const undelivered =
    "exists (select 1 from deliveries where event = events.id and state in ('pending', 'failed'))"
  return [{ sql: success ? `not ${undelivered}` : undelivered, values: [] }]
}
