import { STRIPE_API_VERSION } from '@/lib/env'
import type { Stripe } from '@/lib/stripe/server'
import type { Random } from '../random'

/** How the model treats what it has to tell. */
export type EventHabits = {
  /** Never delivered. */
  drop: number
  /** Two events, with ids of their own, for one change. */
  twice: number
  /** Rendered at an older API version: what it says has to be fetched. */
  oldVersion: number
}

export type ModelEvent = {
  event: Stripe.Event
  isDropped: boolean
  /** Answered with 200. It may come again all the same. */
  isAccepted: boolean
}

const OLD_VERSION = '2019-05-16'

/** Everything Stripe has to tell, in the order it happened. */
export class EventLog {
  readonly events: ModelEvent[] = []
  readonly #random: Random
  readonly #habits: EventHabits
  readonly #prefix: string

  constructor(prefix: string, habits: EventHabits, random: Random) {
    this.#prefix = prefix
    this.#habits = habits
    this.#random = random
  }

  /** @param object as it is now: an event keeps saying it, however late it arrives */
  emit(type: string, object: object): void {
    const copies = this.#random.chance(this.#habits.twice) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const isOld = this.#random.chance(this.#habits.oldVersion)
      this.events.push({
        event: this.#event(
          type,
          isOld ? inOldWords(object) : object,
          isOld ? OLD_VERSION : STRIPE_API_VERSION,
        ),
        isDropped: this.#random.chance(this.#habits.drop),
        isAccepted: false,
      })
    }
  }

  undelivered(): ModelEvent[] {
    return this.events.filter((one) => !one.isAccepted && !one.isDropped)
  }

  /** Time goes by: what has happened is that much longer ago. */
  age(ms: number): void {
    for (const { event } of this.events) event.created -= Math.round(ms / 1000)
  }

  get hasDropped(): boolean {
    return this.events.some((one) => one.isDropped)
  }

  #event(type: string, object: object, apiVersion: string): Stripe.Event {
    return {
      id: `evt_${this.#prefix}_${String(this.events.length + 1).padStart(3, '0')}`,
      object: 'event',
      type,
      api_version: apiVersion,
      created: Math.floor(Date.now() / 1000),
      livemode: false,
      data: { object: structuredClone(object) },
    } as unknown as Stripe.Event
  }
}

/** Wherever an older version put its amounts, they were not what we would read: whoever believes these is found out. */
function inOldWords(object: object): object {
  return {
    ...object,
    ...('amount' in object && { amount: 1 }),
    ...('amount_received' in object && { amount_received: 1 }),
    ...('amount_captured' in object && { amount_captured: 1 }),
    ...('latest_charge' in object && { latest_charge: null }),
  }
}
