import type { Store } from './store.ts'

/** What happens by itself some time after a call. Kept in the database: a restart does not lose it. */
export type JobKind =
  | 'settle_charge'
  | 'make_available'
  | 'expire_authorization'
  | 'finish_refund'
  | 'raise_aftermath'
  | 'dispute_refunded'
  | 'judge_dispute'
  | 'pass_dispute_deadline'
  | BillingJobKind

/** What billing brings about by itself. Of a test clock's customers it happens when that clock is advanced. */
export type BillingJobKind =
  | 'expire_incomplete'
  | 'tell_trial_end'
  | 'end_period'
  | 'finalize_invoice'
  | 'retry_invoice'
  | 'tell_invoice_payment'
  | 'advance_test_clock'
  | 'expire_checkout'

export type JobHandlers = Record<JobKind, (store: Store, subject: string) => void>

/** Part of the caller's transaction. */
export function scheduleJob(store: Store, kind: JobKind, subject: string, delayMs: number): void {
  store.db
    .prepare('insert into jobs (kind, subject, due_at) values (?, ?, ?)')
    .run(kind, subject, store.clock.systemNowMs() + delayMs)
}

/** When something happens by itself next, in Unix milliseconds of the system's clock; null when nothing waits. */
export function nextJobAtMs(store: Store): number | null {
  const next = store.db.prepare('select min(due_at) as due from jobs').get()
  return typeof next?.due === 'number' ? next.due : null
}

/** Does what is due, each job in a transaction of its own together with its removal. */
export class JobRunner {
  readonly #store: Store
  readonly #handlers: JobHandlers
  #timer: NodeJS.Timeout | null = null
  #stopped = false

  constructor(store: Store, handlers: JobHandlers) {
    this.#store = store
    this.#handlers = handlers
    store.onCommit(() => this.wake())
  }

  wake(): void {
    if (this.#stopped) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const next = nextJobAtMs(this.#store)
    if (next === null) return
    const delay = Math.min(Math.max(next - this.#store.clock.nowMs(), 0), 60_000)
    this.#timer = setTimeout(() => this.runDue(), delay)
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  /**
   * Move the clock on, from job to job: each is done at its own time, and what it schedules is done too when that is reached.
   * What is delivered is tried again as its retries come due.
   */
  advance(ms: number): void {
    const target = this.#store.clock.nowMs() + ms
    for (;;) {
      const next = nextJobAtMs(this.#store)
      if (next === null || next > target) break
      this.#store.advanceClock(Math.max(next - this.#store.clock.nowMs(), 0))
      this.runDue()
    }
    this.#store.advanceClock(Math.max(target - this.#store.clock.nowMs(), 0))
    // Nothing changed but the time: who waits for it looks again after a commit.
    this.#store.transaction(() => {})
  }

  runDue(): void {
    const due = this.#store.db
      .prepare('select id, kind, subject from jobs where due_at <= ? order by due_at, id')
      .all(this.#store.clock.nowMs())
    for (const { id, kind, subject } of due) {
      try {
        this.#store.transaction(() => {
          this.#store.db.prepare('delete from jobs where id = ?').run(Number(id))
          this.#handlers[kind as JobKind](this.#store, String(subject))
        })
      } catch (error) {
        // A job that cannot be done would be tried for ever: drop it, and say so.
        this.#store.db.prepare('delete from jobs where id = ?').run(Number(id))
        this.#store.config.log(`job ${kind} failed: ${error instanceof Error ? error.stack : ''}`)
      }
    }
    this.wake()
  }
}
