import type { Store } from '../core/store.ts'
import { activeSecrets } from './endpoints.ts'
import { findEvent } from './events.ts'
import { faultsOfAttempt } from './outbox.ts'
import { isLost, isLostForever, signed } from './spoil.ts'

const MAX_AT_ONCE = 20
const JITTER = 0.2

type Delivery = { id: number; event: string; endpoint: string; attempts: number }
type Outcome = { status: number | null; error: string | null; durationMs: number; final?: boolean }

/**
 * Sends waiting deliveries, oldest first and several at a time, and tries again later when one fails. What is waiting is in the
 * database: a restart goes on where it stopped.
 */
export class Deliverer {
  readonly #store: Store
  readonly #inFlight = new Map<number, AbortController>()
  #timer: NodeJS.Timeout | null = null
  #stopped = false

  constructor(store: Store) {
    this.#store = store
    store.onCommit(() => this.wake())
  }

  /** Look for work now-ish: after the current turn, so that an answer is never behind its own event. */
  wake(): void {
    this.#sleepUntil(this.#store.clock.nowMs())
  }

  stop(): void {
    this.#stopped = true
    if (this.#timer) clearTimeout(this.#timer)
    for (const controller of this.#inFlight.values()) controller.abort()
  }

  #sleepUntil(timeMs: number): void {
    if (this.#stopped) return
    if (this.#timer) clearTimeout(this.#timer)
    const delay = Math.min(Math.max(timeMs - this.#store.clock.nowMs(), 0), 60_000)
    this.#timer = setTimeout(() => this.#work(), delay)
  }

  #work(): void {
    const { db, clock } = this.#store
    const waiting = db
      .prepare(
        "select id, event, endpoint, attempts, next_attempt_at from deliveries where state = 'pending' order by next_attempt_at, id limit ?",
      )
      .all(MAX_AT_ONCE * 2)
      .filter((row) => !this.#inFlight.has(Number(row.id)))
    for (const row of waiting) {
      if (this.#inFlight.size >= MAX_AT_ONCE) return
      if (Number(row.next_attempt_at) > clock.nowMs()) {
        this.#sleepUntil(Number(row.next_attempt_at))
        return
      }
      void this.#attempt({
        id: Number(row.id),
        event: String(row.event),
        endpoint: String(row.endpoint),
        attempts: Number(row.attempts),
      })
    }
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const controller = new AbortController()
    this.#inFlight.set(delivery.id, controller)
    try {
      const outcome = await this.#send(delivery, controller.signal)
      if (!this.#stopped) this.#record(delivery, outcome)
    } catch (error) {
      this.#store.config.log(`delivery ${delivery.id} failed: ${error instanceof Error ? error.message : ''}`)
    } finally {
      this.#inFlight.delete(delivery.id)
    }
    this.wake()
  }

  /** Null: the endpoint is gone or switched off, nothing is sent (stripe.W8). */
  async #send(delivery: Delivery, stopped: AbortSignal): Promise<Outcome | null> {
    const { clock, config } = this.#store
    const endpoint = this.#store.find('webhook_endpoint', delivery.endpoint)
    const event = findEvent(this.#store, delivery.event)
    if (!event || !endpoint || endpoint.deleted || endpoint.object.status !== 'enabled') return null

    const body = JSON.stringify(
      { ...event, api_version: endpoint.object.api_version ?? event.api_version },
      null,
      2,
    )
    const now = clock.now()
    const faults = faultsOfAttempt(this.#store, delivery.id, delivery.attempts)
    if (isLost(faults)) {
      return { status: null, error: 'lost on purpose', durationMs: 0, final: isLostForever(faults) }
    }
    const message = { body, secrets: activeSecrets(endpoint.hidden.secrets, now), timestamp: now }
    const sent = signed(message, faults)
    const started = performance.now()
    const durationMs = () => Math.round(performance.now() - started)
    try {
      const response = await fetch(endpoint.object.url, {
        method: 'POST',
        body: sent.body,
        headers: {
          'Content-Type': 'application/json; charset=utf-8',
          'User-Agent': 'Stripe/1.0 (local stand-in)',
          'Stripe-Signature': sent.signature,
        },
        redirect: 'manual',
        signal: AbortSignal.any([stopped, AbortSignal.timeout(config.deliveryTimeoutMs)]),
      })
      await response.body?.cancel()
      return { status: response.status, error: null, durationMs: durationMs() }
    } catch (error) {
      return { status: null, error: describe(error), durationMs: durationMs() }
    }
  }

  #record(delivery: Delivery, outcome: Outcome | null): void {
    const store = this.#store
    store.transaction(() => {
      const set = store.db.prepare(
        'update deliveries set state = ?, attempts = ?, next_attempt_at = ? where id = ?',
      )
      if (outcome === null) {
        set.run('dropped', delivery.attempts, null, delivery.id)
        return
      }
      store.db
        .prepare(
          'insert into delivery_attempts (delivery, at, status, error, duration_ms) values (?, ?, ?, ?, ?)',
        )
        .run(delivery.id, store.clock.nowMs(), outcome.status, outcome.error, outcome.durationMs)
      const attempts = delivery.attempts + 1
      if (isSuccess(outcome)) {
        set.run('delivered', attempts, null, delivery.id)
        return
      }
      const delay = store.config.retryDelaysMs[attempts - 1]
      if (delay === undefined || outcome.final) set.run('failed', attempts, null, delivery.id)
      else set.run('pending', attempts, Math.round(store.clock.nowMs() + jittered(delay)), delivery.id)
    })
  }
}

/** Any 2xx; a redirect is a failure (stripe.W6). */
function isSuccess({ status }: Outcome): boolean {
  return status !== null && status >= 200 && status < 300
}

function jittered(delayMs: number): number {
  return delayMs * (1 + (Math.random() * 2 - 1) * JITTER)
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  if (error.name === 'TimeoutError') return 'timed out'
  const cause = error.cause
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error.message
}
