import type { BillingJobKind } from '../core/jobs.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'

/** Who has a test clock lives in its time: nothing happens before it is advanced. */
type Clocked = { id: string; test_clock?: string | { id: string } | null }

/** Have something happen to an object at `at` (unix seconds of its own time). Part of the caller's transaction. */
export function scheduleAt(store: Store, kind: BillingJobKind, subject: Clocked, at: number): void {
  const clock = idOf(subject.test_clock)
  if (clock === null) {
    store.db
      .prepare('insert into jobs (kind, subject, due_at) values (?, ?, ?)')
      .run(kind, subject.id, at * 1000)
  } else {
    store.db
      .prepare('insert into clock_jobs (test_clock, kind, subject, due_at) values (?, ?, ?, ?)')
      .run(clock, kind, subject.id, at)
  }
}

export type ClockJob = { id: number; kind: BillingJobKind; subject: string; dueAt: number }

/** What is next on a test clock, up to a time (unix seconds). */
export function nextClockJob(store: Store, clock: string, until: number): ClockJob | null {
  const row = store.db
    .prepare(
      'select id, kind, subject, due_at from clock_jobs where test_clock = ? and due_at <= ? order by due_at, id limit 1',
    )
    .get(clock, until)
  if (!row) return null
  return {
    id: Number(row.id),
    kind: String(row.kind) as BillingJobKind,
    subject: String(row.subject),
    dueAt: Number(row.due_at),
  }
}

export function forgetClockJob(store: Store, id: number): void {
  store.db.prepare('delete from clock_jobs where id = ?').run(id)
}

export function forgetJobsOfClock(store: Store, clock: string): void {
  store.db.prepare('delete from clock_jobs where test_clock = ?').run(clock)
}
