/** Random choices that a seed repeats (mulberry32). Each stream is its own, so that one taking more changes no other. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
    // Neighbouring seeds begin alike; a few rounds part them.
    for (let round = 0; round < 4; round++) this.next()
  }

  /** 0 or more, less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** A whole number from `least` to `most`, both included. */
  int(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  pick<Item>(items: readonly [Item, ...Item[]]): Item
  pick<Item>(items: readonly Item[]): Item | undefined
  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[Math.floor(this.next() * items.length)]
  }

  /** One of the choices, each as likely as its weight says. */
  weighted<Choice extends string>(weights: Record<Choice, number>): Choice {
    const choices = Object.entries(weights) as [Choice, number][]
    let left = this.next() * choices.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [choice, weight] of choices) {
      left -= weight
      if (left < 0) return choice
    }
    throw new Error('there is nothing to choose from')
  }

  shuffled<Item>(items: readonly Item[]): Item[] {
    const left = [...items]
    const order: Item[] = []
    while (left.length > 0) order.push(...left.splice(this.int(0, left.length - 1), 1))
    return order
  }

  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32))
  }
}
