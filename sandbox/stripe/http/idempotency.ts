import { createHmac } from 'node:crypto'
import type { Store } from '../core/store.ts'
import { StripeError } from './errors.ts'
import type { FormFields } from './form.ts'

export type SavedAnswer = { status: number; body: string; requestId: string }

/** `saved` is what the first request got, to be given again; null means this request is the first and now owns the key. */
export type Claim = { saved: SavedAnswer | null }

const MAX_KEY_LENGTH = 255
const KEPT_SECONDS = 24 * 60 * 60

/**
 * Take an idempotency key, or learn that it was used (stripe.I1-I6). The unique key of the table decides between two requests.
 * @throws StripeError 400 when the key belongs to another request, 409 while the first one is still running.
 */
export function claimKey(store: Store, key: string, fingerprint: string): Claim {
  if (key.length > MAX_KEY_LENGTH) {
    throw new StripeError(
      400,
      {
        type: 'idempotency_error',
        message: `Idempotency keys can be at most ${MAX_KEY_LENGTH} characters long.`,
      },
      { beforeExecution: true },
    )
  }
  const now = store.clock.now()
  store.db.prepare('delete from idempotency_keys where created < ?').run(now - KEPT_SECONDS)
  const claimed = store.db
    .prepare(
      'insert into idempotency_keys (key, fingerprint, created) values (?, ?, ?) on conflict do nothing',
    )
    .run(key, fingerprint, now)
  if (claimed.changes === 1) return { saved: null }

  const row = store.db.prepare('select * from idempotency_keys where key = ?').get(key)
  if (row?.fingerprint !== fingerprint) throw usedForAnother(key)
  if (row.status === null) throw stillRunning(key)
  return {
    saved: { status: Number(row.status), body: String(row.body), requestId: String(row.request_id) },
  }
}

/** Belongs in the transaction of the request itself: its effect and its answer are kept together. */
export function saveAnswer(store: Store, key: string, answer: SavedAnswer): void {
  store.db
    .prepare('update idempotency_keys set status = ?, body = ?, request_id = ? where key = ?')
    .run(answer.status, answer.body, answer.requestId, key)
}

/** The request did not begin after all: the key may be used again. */
export function releaseKey(store: Store, key: string): void {
  store.db.prepare('delete from idempotency_keys where key = ? and status is null').run(key)
}

/** Same method, address, caller and parameters in any order: the same request. Hashed with a secret, as parameters hold card numbers. */
export function requestFingerprint(
  salt: string,
  request: { method: string; path: string; caller: string; fields: FormFields },
): string {
  const { method, path, caller, fields } = request
  return createHmac('sha256', salt)
    .update(JSON.stringify([method, path, caller, sorted(fields)]))
    .digest('hex')
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => [name, sorted(entry)])
}

function usedForAnother(key: string): StripeError {
  return new StripeError(
    400,
    {
      type: 'idempotency_error',
      message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
    },
    { beforeExecution: true },
  )
}

function stillRunning(key: string): StripeError {
  return new StripeError(
    409,
    {
      type: 'idempotency_error',
      code: 'idempotency_key_in_use',
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
    },
    { beforeExecution: true },
  )
}
