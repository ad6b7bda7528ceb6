/** The time this Stripe lives in: the machine's, plus what was added by hand. */
export class Clock {
  #offsetMs: number
  #frozenMs: number | null = null

  constructor(offsetMs = 0) {
    this.#offsetMs = offsetMs
  }

  get offsetMs(): number {
    return this.#offsetMs
  }

  /** The time of what is being done: this Stripe's, or a test clock's while something of its customers is. */
  nowMs(): number {
    return this.#frozenMs ?? this.systemNowMs()
  }

  /** This Stripe's time whatever is being done: deliveries and jobs happen in it. */
  systemNowMs(): number {
    return Date.now() + this.#offsetMs
  }

  /** Do something in the time of a test clock (unix seconds). Null: in the time it is. */
  at<T>(seconds: number | null, work: () => T): T {
    if (seconds === null) return work()
    const before = this.#frozenMs
    this.#frozenMs = seconds * 1000
    try {
      return work()
    } finally {
      this.#frozenMs = before
    }
  }

  /** Unix seconds, as every Stripe timestamp. */
  now(): number {
    return Math.floor(this.nowMs() / 1000)
  }

  advance(ms: number): void {
    this.#offsetMs += ms
  }
}
