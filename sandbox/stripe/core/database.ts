import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'

/**
 * One table for every kind of object: the JSON is exactly what the API answers (references as ids), `hidden` is what only this
 * server knows about it. Columns exist for what is looked up.
 */
const SCHEMA = `
  create table if not exists settings (name text primary key, value text not null) strict;

  create table if not exists objects (
    seq integer primary key autoincrement,
    id text not null unique,
    kind text not null,
    created integer not null,
    customer text,
    deleted integer not null default 0,
    data text not null,
    hidden text not null
  ) strict;
  create index if not exists objects_by_kind on objects (kind, deleted, seq);
  create index if not exists objects_by_customer on objects (customer, kind, seq);

  create table if not exists challenges (
    token text primary key,
    payment_intent text not null,
    payment_method text not null,
    return_url text,
    state text not null,
    created integer not null
  ) strict;

  create table if not exists events (
    seq integer primary key autoincrement,
    id text not null unique,
    type text not null,
    created integer not null,
    data text not null,
    request_id text,
    idempotency_key text
  ) strict;

  create table if not exists deliveries (
    id integer primary key autoincrement,
    event text not null references events (id),
    endpoint text not null,
    state text not null,
    attempts integer not null default 0,
    next_attempt_at integer
  ) strict;
  create index if not exists deliveries_waiting on deliveries (next_attempt_at) where state = 'pending';
  create index if not exists deliveries_by_event on deliveries (event);

  create table if not exists delivery_attempts (
    delivery integer not null references deliveries (id),
    at integer not null,
    status integer,
    error text,
    duration_ms integer not null
  ) strict;
  create index if not exists attempts_by_delivery on delivery_attempts (delivery);

  create table if not exists delivery_faults (
    delivery integer primary key references deliveries (id),
    faults text not null
  ) strict;

  create table if not exists chaos_rules (
    id integer primary key,
    rule text not null,
    matched integer not null default 0,
    fired integer not null default 0
  ) strict;

  create table if not exists chaos_log (
    seq integer primary key autoincrement,
    at integer not null,
    seed text not null,
    rule integer,
    fault text not null,
    n integer not null,
    subject text not null,
    fired integer not null
  ) strict;

  create table if not exists jobs (
    id integer primary key autoincrement,
    kind text not null,
    subject text not null,
    due_at integer not null
  ) strict;

  create table if not exists clock_jobs (
    id integer primary key autoincrement,
    test_clock text not null,
    kind text not null,
    subject text not null,
    due_at integer not null
  ) strict;
  create index if not exists clock_jobs_due on clock_jobs (test_clock, due_at, id);

  create table if not exists idempotency_keys (
    key text primary key,
    fingerprint text not null,
    created integer not null,
    status integer,
    body text,
    request_id text
  ) strict;
`

/** Open (or make) the database. A request that was cut off by a crash left no trace but its key: forget that too. */
export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path)
  db.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma busy_timeout = 5000;')
  db.exec(SCHEMA)
  db.exec('delete from idempotency_keys where status is null')
  return db
}

/** A random value of this database, made once: keys fingerprints, so that stored hashes cannot be tried against card numbers. */
export function readSalt(db: DatabaseSync): string {
  db.prepare("insert or ignore into settings (name, value) values ('salt', ?)").run(
    randomBytes(32).toString('hex'),
  )
  const row = db.prepare("select value from settings where name = 'salt'").get()
  return String(row?.value)
}
