/** The time this Stripe lives in: the machine's, plus what was added by hand. */
export class Clock {
  #offsetMs: number

  constructor(offsetMs = 0) {
    this.#offsetMs = offsetMs
  }

  get offsetMs(): number {
    return this.#offsetMs
  }

  nowMs(): number {
    return Date.now() + this.#offsetMs
  }

  /** Unix seconds, as every Stripe timestamp. */
  now(): number {
    return Math.floor(this.nowMs() / 1000)
  }

  advance(ms: number): void {
    this.#offsetMs += ms
  }
}
