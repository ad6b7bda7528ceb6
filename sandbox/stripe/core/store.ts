import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { Chaos } from '../chaos/chaos.ts'
import type { ResolvedConfig } from '../config.ts'
import type { Call } from '../http/call.ts'
import { Clock } from './clock.ts'
import { openDatabase, readSalt } from './database.ts'
import { type HiddenOf, idOf, type Kind, type ObjectOf } from './resources.ts'

export type Found<K extends Kind> = { object: ObjectOf<K>; hidden: HiddenOf<K>; deleted: boolean }

/** A filter of a list: an SQL condition over the columns of `objects` and its values. */
export type Condition = { sql: string; values: SQLInputValue[] }

/** What changes because another object did: an invoice, when its payment succeeds. */
type Reaction = (call: Call, id: string) => void

const CLOCK_OFFSET = 'clock_offset_ms'

/** The whole state of this Stripe, in one SQLite file. Everything is synchronous: a call is one transaction and nothing overlaps it. */
export class Store {
  readonly db: DatabaseSync
  readonly clock: Clock
  readonly config: ResolvedConfig
  readonly salt: string
  readonly chaos: Chaos
  #committed: (() => void)[] = []
  readonly #reactions = new Map<string, Reaction[]>()

  constructor(config: ResolvedConfig) {
    this.config = config
    this.db = openDatabase(config.databasePath)
    this.salt = readSalt(this.db)
    this.chaos = new Chaos(this)
    this.clock = new Clock(Number(this.readSetting(CLOCK_OFFSET) ?? 0))
  }

  /** Run `work` in one transaction: all of it happens, events included, or none. */
  transaction<T>(work: () => T): T {
    this.db.exec('begin immediate')
    let result: T
    try {
      result = work()
      this.db.exec('commit')
    } catch (error) {
      if (this.db.isTransaction) this.db.exec('rollback')
      throw error
    }
    for (const listener of this.#committed) listener()
    return result
  }

  /** Called after each transaction: events may be waiting to be delivered, jobs to be done. */
  onCommit(listener: () => void): void {
    this.#committed.push(listener)
  }

  /** From now on `reaction` follows every event of this type, in the transaction of the change it tells of. */
  onEvent(type: string, reaction: Reaction): void {
    this.#reactions.set(type, [...(this.#reactions.get(type) ?? []), reaction])
  }

  react(call: Call, type: string, id: string): void {
    for (const reaction of this.#reactions.get(type) ?? []) reaction(call, id)
  }

  insert<K extends Kind>(kind: K, object: ObjectOf<K>, hidden: HiddenOf<K>): ObjectOf<K> {
    this.db
      .prepare('insert into objects (id, kind, created, customer, data, hidden) values (?, ?, ?, ?, ?, ?)')
      .run(
        object.id,
        kind,
        'created' in object ? object.created : this.clock.now(),
        customerOf(object),
        JSON.stringify(object),
        JSON.stringify(hidden),
      )
    return object
  }

  find<K extends Kind>(kind: K, id: string): Found<K> | null {
    const row = this.db
      .prepare('select data, hidden, deleted from objects where id = ? and kind = ?')
      .get(id, kind)
    return row ? read<K>(row) : null
  }

  /** Replace an object and, when given, what is hidden behind it. */
  save<K extends Kind>(kind: K, object: ObjectOf<K>, hidden?: HiddenOf<K>): ObjectOf<K> {
    this.db
      .prepare(
        'update objects set data = ?, customer = ?, hidden = coalesce(?, hidden) where id = ? and kind = ?',
      )
      .run(
        JSON.stringify(object),
        customerOf(object),
        hidden ? JSON.stringify(hidden) : null,
        object.id,
        kind,
      )
    return object
  }

  /** An object of any kind, by its id. */
  findAny(id: string): { object: ObjectOf<Kind>; kind: Kind; deleted: boolean } | null {
    const row = this.db.prepare('select kind, data, hidden, deleted from objects where id = ?').get(id)
    return row ? { ...read<Kind>(row), kind: String(row.kind) as Kind } : null
  }

  readSetting(name: string): string | null {
    const row = this.db.prepare('select value from settings where name = ?').get(name)
    return row ? String(row.value) : null
  }

  /** Null forgets it. */
  writeSetting(name: string, value: string | null): void {
    if (value === null) this.db.prepare('delete from settings where name = ?').run(name)
    else this.db.prepare('insert or replace into settings (name, value) values (?, ?)').run(name, value)
  }

  /** Move this Stripe's time on. It stays moved after a restart. */
  advanceClock(ms: number): void {
    this.clock.advance(ms)
    this.writeSetting(CLOCK_OFFSET, String(this.clock.offsetMs))
  }

  markDeleted(id: string): void {
    this.db.prepare('update objects set deleted = 1 where id = ?').run(id)
  }

  /** Not deleted, newest first unless asked otherwise. */
  select<K extends Kind>(
    kind: K,
    conditions: Condition[] = [],
    { limit = -1, oldestFirst = false }: { limit?: number; oldestFirst?: boolean } = {},
  ): Found<K>[] {
    const where = ['kind = ?', 'deleted = 0', ...conditions.map(({ sql }) => sql)].join(' and ')
    const values = conditions.flatMap((condition) => condition.values)
    return this.db
      .prepare(
        `select data, hidden, deleted from objects where ${where} order by seq ${oldestFirst ? 'asc' : 'desc'} limit ?`,
      )
      .all(kind, ...values, limit)
      .map((row) => read<K>(row))
  }

  close(): void {
    this.db.close()
  }
}

function read<K extends Kind>(row: Record<string, unknown>): Found<K> {
  // The table is written by insert() and save() only, both typed by kind.
  return {
    object: JSON.parse(String(row.data)) as ObjectOf<K>,
    hidden: JSON.parse(String(row.hidden)) as HiddenOf<K>,
    deleted: row.deleted === 1,
  }
}

function customerOf(object: ObjectOf<Kind>): string | null {
  return 'customer' in object ? idOf(object.customer) : null
}
