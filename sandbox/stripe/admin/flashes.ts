import { randomBytes } from 'node:crypto'

export type Flash = { tone: 'good' | 'bad'; text: string }

const MOST_WAITING = 50

/** What the next page is to say once. Kept here and not in its address, so that no link can put words into our mouth. */
export class Flashes {
  readonly #waiting = new Map<string, Flash>()

  /** Returns the name under which it waits. */
  add(flash: Flash): string {
    const [oldest] = this.#waiting.keys()
    if (oldest !== undefined && this.#waiting.size >= MOST_WAITING) this.#waiting.delete(oldest)
    const name = randomBytes(6).toString('hex')
    this.#waiting.set(name, flash)
    return name
  }

  take(name: string | undefined): Flash | null {
    const flash = this.#waiting.get(name ?? '') ?? null
    if (name) this.#waiting.delete(name)
    return flash
  }
}
