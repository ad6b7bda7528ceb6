import { AsyncLocalStorage } from 'node:async_hooks'
import type { Random } from './random'
import type { StripeApi } from './stripe/api'

/** How likely each kind of trouble is, per call. */
export type Trouble = {
  /** The server dies: at a named point, or before or after any call. */
  crash: number
  /** The database cannot be reached, or its answer to something it has done is lost. */
  database: number
  /** Stripe fails in one of its ways. */
  stripe: number
}

export const NO_TROUBLE: Trouble = { crash: 0, database: 0, stripe: 0 }

/** A server that dies mid-way. Thrown again by everything it would still do: a dead process writes nothing. */
export class Crash extends Error {
  constructor(where: string) {
    super(`the server died: ${where}`)
    this.name = 'Crash'
  }
}

/** One server of ours, and the Stripe it talks to. Everything that runs in it dies with it. */
export class ServerProcess {
  readonly stripe: StripeApi
  /** What it logged at the levels that somebody should look at. */
  readonly complaints: { event: string; error: unknown }[] = []
  diedAt: string | null = null

  constructor(stripe: StripeApi) {
    this.stripe = stripe
  }

  die(where: string): never {
    this.diedAt ??= where
    throw new Crash(this.diedAt)
  }

  assertAlive(): void {
    if (this.diedAt !== null) throw new Crash(this.diedAt)
  }
}

/** One request that a server works on. */
export type Task = {
  server: ServerProcess
  random: Random
  trouble: Trouble
  /** Waits until it is this request's turn to ask the database or Stripe. */
  turn: () => Promise<void>
}

const tasks = new AsyncLocalStorage<Task>()

export function currentTask(): Task {
  const task = tasks.getStore()
  if (!task) throw new Error('the code under test runs in a server process only')
  return task
}

/** Few schedules come past these: the few have to meet a crash there. */
const SELDOM = /^decision\./

/** What a named crash point does in here. */
export function mayCrashAt(point: string): void {
  const { server, random, trouble } = currentTask()
  server.assertAlive()
  if (random.chance(trouble.crash * (SELDOM.test(point) ? 4 : 1))) server.die(point)
}

/** One call to the outside: in turn, and only by the living. The server may die just before it and just after it. */
export async function callOutside<Result>(what: string, call: () => Promise<Result>): Promise<Result> {
  const { server, random, trouble, turn } = currentTask()
  server.assertAlive()
  await turn()
  server.assertAlive()
  if (random.chance(trouble.crash / 4)) server.die(`before ${what}`)
  try {
    return await call()
  } finally {
    if (random.chance(trouble.crash / 4)) server.diedAt ??= `after ${what}`
    server.assertAlive()
  }
}

export type Outcome<Value> = { value: Value; error?: undefined } | { value?: undefined; error: unknown }

/**
 * Work on several requests at once. `in turns`: one call to the outside after the other, in an order that the seed decides
 * and a replay repeats. `at once`: as the machine has it, so that they meet inside the database; a replay may differ.
 */
export async function runTogether<Value>(
  jobs: readonly { server: ServerProcess; run: () => Promise<Value> }[],
  how: { random: Random; trouble: Trouble; order: 'in turns' | 'at once' },
): Promise<Outcome<Value>[]> {
  const turns = how.order === 'in turns' ? new Turns(how.random.fork()) : null
  const outcomes = jobs.map(async ({ server, run }): Promise<Outcome<Value>> => {
    const turn = turns ? () => turns.take() : () => new Promise<void>((resolve) => setImmediate(resolve))
    const task: Task = { server, random: how.random.fork(), trouble: how.trouble, turn }
    return await tasks.run(task, async () => {
      try {
        await turn()
        return { value: await run() }
      } catch (error) {
        return { error }
      } finally {
        turns?.leave()
      }
    })
  })
  turns?.begin(jobs.length)
  return await Promise.all(outcomes)
}

/** Gives one turn at a time, once everybody else waits for theirs. Now and then somebody is slow, and many overtake. */
class Turns {
  #random: Random
  #waiting: { go: () => void; notBefore: number }[] = []
  #running = 0
  #given = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** All of them have asked for their first turn by now. */
  begin(requests: number): void {
    this.#running += requests
    this.#giveNext()
  }

  take(): Promise<void> {
    return new Promise((go) => {
      const pause = this.#random.chance(0.2) ? this.#random.int(3, 15) : 0
      this.#waiting.push({ go, notBefore: this.#given + pause })
      this.leave()
    })
  }

  leave(): void {
    this.#running--
    this.#giveNext()
  }

  #giveNext(): void {
    if (this.#running !== 0) return
    const awake = this.#waiting.filter(({ notBefore }) => notBefore <= this.#given)
    const next = this.#random.pick(awake.length > 0 ? awake : this.#waiting)
    if (!next) return
    this.#waiting.splice(this.#waiting.indexOf(next), 1)
    this.#given++
    this.#running++
    next.go()
  }
}
