import { type Fault, findFault } from '../chaos/faults.ts'
import type { Store } from '../core/store.ts'

/** What makes single attempts of a delivery go wrong; the rest is decided when the delivery is written. */
const WHEN_SENT = [
  'webhook.dropFirst',
  'webhook.dropForever',
  'webhook.badSignature',
  'webhook.wrongSecret',
  'webhook.staleTimestamp',
  'webhook.truncated',
  'webhook.olderVersion',
]

/** Put an event in the outbox of each endpoint, later or more often than it should when that is wanted. */
export function insertDeliveries(store: Store, event: string, endpoints: string[], faults: Fault[]): void {
  const later = Math.max(
    findFault(faults, 'webhook.delay')?.ms ?? 0,
    findFault(faults, 'webhook.reorder')?.ms ?? 0,
  )
  const copies = findFault(faults, 'webhook.duplicate')
  const second = findFault(faults, 'webhook.secondEndpoint')
  for (const endpoint of endpoints) {
    insert(
      store,
      event,
      endpoint,
      later,
      faults.filter(({ name }) => WHEN_SENT.includes(name)),
    )
    for (let copy = 1; copies && copy <= copies.copies; copy++) {
      insert(store, event, endpoint, later + copy * copies.ms, [])
    }
    // The same address is registered a second time, with a secret of its own.
    if (second) insert(store, event, endpoint, later, [{ ...second, attempts: Number.MAX_SAFE_INTEGER }])
  }
}

/** The faults that concern this attempt (from 0). */
export function faultsOfAttempt(store: Store, delivery: number, attempt: number): Fault[] {
  const row = store.db.prepare('select faults from delivery_faults where delivery = ?').get(delivery)
  if (!row) return []
  const faults = JSON.parse(String(row.faults)) as Fault[]
  return faults.filter(({ name, attempts }) => name === 'webhook.dropForever' || attempt < attempts)
}

function insert(store: Store, event: string, endpoint: string, laterMs: number, faults: Fault[]): void {
  const { lastInsertRowid } = store.db
    .prepare("insert into deliveries (event, endpoint, state, next_attempt_at) values (?, ?, 'pending', ?)")
    .run(event, endpoint, store.clock.systemNowMs() + laterMs)
  if (faults.length === 0) return
  store.db
    .prepare('insert into delivery_faults (delivery, faults) values (?, ?)')
    .run(lastInsertRowid, JSON.stringify(faults))
}
