import { isDeepStrictEqual } from 'node:util'
import { errors, type Raised, replayed } from './errors'

/** Stripe keeps a key for a day. */
const KEPT_MS = 24 * 60 * 60 * 1000

type Saved = {
  asked: object
  savedMs: number
  outcome: { answer: unknown } | { error: Raised } | { later: () => unknown }
}

/** What Stripe remembers of each idempotency key: the first outcome, whatever it was, and what was asked. */
export class Idempotency {
  /** Keys that our code used for two different requests: it must never. */
  readonly misused: string[] = []
  readonly #keys = new Map<string, Saved>()

  execute<Result>(key: string, asked: object, work: () => Result): Result {
    const saved = this.#keys.get(key)
    if (saved) return this.#replay<Result>(key, saved, asked)
    try {
      const answer = work()
      this.#keys.set(key, { asked, savedMs: Date.now(), outcome: { answer } })
      return answer
    } catch (error) {
      this.#keys.set(key, { asked, savedMs: Date.now(), outcome: { error: error as Raised } })
      throw error
    }
  }

  /** The request has arrived and is worked on when whoever sent it has long given up. */
  executeLater(key: string, asked: object, work: () => unknown): void {
    if (this.#keys.has(key)) return
    this.#keys.set(key, { asked, savedMs: Date.now(), outcome: { later: work } })
  }

  get slow(): number {
    return [...this.#keys.values()].filter(({ outcome }) => 'later' in outcome).length
  }

  finishSlow(): void {
    for (const [key, { asked, outcome }] of [...this.#keys]) {
      if (!('later' in outcome)) continue
      this.#keys.delete(key)
      try {
        this.execute(key, asked, outcome.later)
      } catch {
        // Kept under the key; nobody is there to hear it.
      }
    }
  }

  /** Somebody else has used this key for something else. */
  markUsedElsewhere(key: string): void {
    if (!this.#keys.has(key))
      this.#keys.set(key, { asked: { by: 'somebody else' }, savedMs: Date.now(), outcome: { answer: null } })
  }

  age(ms: number): void {
    for (const [key, saved] of [...this.#keys]) {
      saved.savedMs -= ms
      if (Date.now() - saved.savedMs > KEPT_MS) this.#keys.delete(key)
    }
  }

  #replay<Result>(key: string, { asked: first, outcome }: Saved, asked: object): Result {
    if ('by' in first) throw errors.keyUsedElsewhere()
    if (!isDeepStrictEqual(first, asked)) {
      this.misused.push(key)
      throw errors.keyUsedElsewhere()
    }
    if ('later' in outcome) throw errors.keyInUse()
    if ('error' in outcome) throw replayed(outcome.error)
    return structuredClone(outcome.answer) as Result
  }
}
