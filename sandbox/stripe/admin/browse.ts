import type { Kind } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { deliveriesOf } from './deliveries.ts'

export type Listed = {
  seq: number
  id: string
  kind: Kind
  /** Unix seconds. */
  created: number
  deleted: boolean
  object: Record<string, unknown>
}

export type ListedEvent = {
  seq: number
  id: string
  type: string
  created: number
  /** Of what it tells. */
  subject: string
  /** How its newest delivery stands; null when no endpoint wanted it. */
  delivery: { state: string; attempts: number; answer: string } | null
}

/** Newest first. `older` is where the next page begins; null at the end. */
export type Page<T> = { rows: T[]; older: number | null }

const PAGE = 30
const RELATED = 40

/** How many there are of each kind. */
export function kindsOf(store: Store): { kind: Kind; count: number }[] {
  return store.db
    .prepare('select kind, count(*) as count from objects where deleted = 0 group by kind order by kind')
    .all()
    .map(({ kind, count }) => ({ kind: String(kind) as Kind, count: Number(count) }))
}

export function listObjects(store: Store, kind: string | null, before: number | null): Page<Listed> {
  const rows = store.db
    .prepare(
      `select * from objects where deleted = 0 and (? is null or kind = ?) and seq < ? order by seq desc limit ?`,
    )
    .all(kind, kind, before ?? Number.MAX_SAFE_INTEGER, PAGE + 1)
  return page(rows.map(listed))
}

export function listEvents(store: Store, before: number | null): Page<ListedEvent> {
  const rows = store.db
    .prepare('select * from events where seq < ? order by seq desc limit ?')
    .all(before ?? Number.MAX_SAFE_INTEGER, PAGE + 1)
  return page(rows.map((row) => listedEvent(store, row)))
}

export function findObject(store: Store, id: string): Listed | null {
  const row = store.db.prepare('select * from objects where id = ?').get(id)
  return row ? listed(row) : null
}

/** Where an id leads in these pages; null when nothing has it. */
export function addressOf(store: Store, id: string): string | null {
  const encoded = encodeURIComponent(id)
  if (store.db.prepare('select 1 from events where id = ?').get(id)) return `/admin/events/${encoded}`
  return store.findAny(id) ? `/admin/objects/${encoded}` : null
}

/** Whatever names the object, newest first, in the whole of the database: it is a small one. */
export function relatedTo(store: Store, id: string): { objects: Listed[]; events: ListedEvent[] } {
  const named = JSON.stringify(id)
  const objects = store.db
    .prepare('select * from objects where id <> ? and instr(data, ?) > 0 order by seq desc limit ?')
    .all(id, named, RELATED)
  const events = store.db
    .prepare('select * from events where instr(data, ?) > 0 order by seq desc limit ?')
    .all(named, RELATED)
  return { objects: objects.map(listed), events: events.map((row) => listedEvent(store, row)) }
}

export function countEvents(store: Store): number {
  return Number(store.db.prepare('select count(*) as count from events').get()?.count)
}

function page<T extends { seq: number }>(found: T[]): Page<T> {
  const rows = found.slice(0, PAGE)
  return { rows, older: found.length > PAGE ? (rows.at(-1)?.seq ?? null) : null }
}

function listed(row: Record<string, unknown>): Listed {
  return {
    seq: Number(row.seq),
    id: String(row.id),
    kind: String(row.kind) as Kind,
    created: Number(row.created),
    deleted: row.deleted === 1,
    object: JSON.parse(String(row.data)),
  }
}

function listedEvent(store: Store, row: Record<string, unknown>): ListedEvent {
  const id = String(row.id)
  const newest = deliveriesOf(store, id).at(-1)
  const last = newest?.attempts.at(-1)
  const data = JSON.parse(String(row.data)) as { object: { id: string } }
  return {
    seq: Number(row.seq),
    id,
    type: String(row.type),
    created: Number(row.created),
    subject: data.object.id,
    delivery: newest
      ? {
          state: newest.state,
          attempts: newest.attempts.length,
          answer: String(last?.status ?? last?.error ?? ''),
        }
      : null,
  }
}
