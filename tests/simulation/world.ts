import type postgres from 'postgres'
import type { User } from '@/lib/auth/session'
import { type ErrorCode, isAppError } from '@/lib/errors'
import { Stripe } from '@/lib/stripe/server'
import { ageBillingBooks, readBillingBooks } from './billing-books'
import { ageBooks, type Books, readBooks } from './books'
import { hasSubscriptions, type Plan } from './plan'
import type { Random } from './random'
import {
  Crash,
  currentTask,
  NO_TROUBLE,
  type Outcome,
  runTogether,
  ServerProcess,
  type Trouble,
} from './server-process'
import { StripeApi } from './stripe/api'
import { EventLog } from './stripe/event-log'
import { StripeModel } from './stripe/model'

export type People = { customers: [User, ...User[]]; staff: User }

export type OrderNote = { id: string; owner: User; amount: number; currency: string }

/** What somebody asks of one of our servers. */
export type Request = {
  what: string
  run: () => Promise<unknown>
  /** How it may end, besides well. */
  allowed?: readonly ErrorCode[]
  after?: (outcome: Outcome<unknown>) => void
}

/** Something that must never be. */
export class Violation extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Violation'
  }
}

/** One schedule's world: our database, the model of Stripe, the people, and the story so far. */
export class World {
  readonly plan: Plan
  readonly random: Random
  readonly sql: postgres.Sql
  readonly people: People
  readonly stripe: StripeModel
  readonly api: StripeApi
  readonly orders: OrderNote[] = []
  /** What each Idempotency-Key was sent with, kept by us or not, and the one thing it led to once that is known. */
  readonly keys = new Map<string, { owner: User; inputs: Set<string>; ledTo: string | null }>()
  readonly story: string[] = []
  readonly deaths = new Set<string>()
  readonly hasSubscriptions: boolean
  /** How long ago the story began, besides the moments it took to play. */
  passedSeconds = 0
  /** What may happen while our servers work. */
  outside: readonly ((world: World) => unknown)[]
  books: Books | null = null
  /** Whether our servers have worked since the books were read: nobody else writes to them. */
  isWorked = false
  trouble: Trouble
  readonly #names = new Map<string, string>()

  constructor(world: {
    seed: number
    plan: Plan
    random: Random
    sql: postgres.Sql
    people: People
    outside: readonly ((world: World) => unknown)[]
  }) {
    this.outside = world.outside
    this.plan = world.plan
    this.random = world.random
    this.sql = world.sql
    this.people = world.people
    this.trouble = world.plan.trouble
    this.hasSubscriptions = hasSubscriptions(world.seed)
    const prefix = String(world.seed)
    const log = new EventLog(prefix, world.plan.habits, world.random.fork())
    this.stripe = new StripeModel(prefix, log, world.random.fork())
    this.api = new StripeApi(this.stripe)
  }

  tell(line: string): void {
    this.story.push(line)
  }

  /**
   * Note that a key is used. A server may have died before it kept the key, so which of several inputs the key is good for
   * is not known here; that it is good for one only is checked by what it leads to.
   */
  noteKey(key: string, owner: User, input: string): void {
    const used = this.keys.get(key) ?? { owner, inputs: new Set(), ledTo: null }
    this.keys.set(key, used)
    used.inputs.add(input)
  }

  mayBeReused(key: string): boolean {
    return (this.keys.get(key)?.inputs.size ?? 0) > 1
  }

  keyLedTo(key: string, id: string): void {
    const used = this.keys.get(key)
    if (used?.ledTo && used.ledTo !== id) throw new Violation(`${key} has led to two different things`)
    if (used) used.ledTo = id
  }

  /** A short name for one of our random ids, the same in every replay. */
  name(kind: string, id: string): string {
    const known = this.#names.get(id)
    if (known) return known
    const name = `${kind}${[...this.#names.values()].filter((one) => one.startsWith(kind)).length + 1}`
    this.#names.set(id, name)
    return name
  }

  /**
   * Requests that meet. Each may end as it is allowed to, with the world's trouble, or with the death of its server; anything
   * else is a violation. Answers false when nobody asks for anything.
   */
  async together(requests: readonly Request[]): Promise<boolean> {
    if (requests.length === 0) return false
    this.isWorked = true
    const shared = this.random.chance(0.5) ? new ServerProcess(this.api) : null
    const jobs = requests.map(({ run }) => ({ server: shared ?? new ServerProcess(this.api), run }))
    const outside = { server: new ServerProcess(this.api), run: () => this.#moveOn() }
    const isMoving = this.outside.length > 0 && this.random.chance(0.5)
    const outcomes = await runTogether<unknown>(isMoving ? [...jobs, outside] : jobs, {
      random: this.random.fork(),
      trouble: this.trouble,
      order: this.plan.order,
    })
    for (const [index, request] of requests.entries()) {
      const outcome = outcomes[index]
      if (outcome) this.#judge(request, outcome, requests.length > 1 || isMoving)
    }
    for (const { server } of jobs) this.#hear(server)
    const moved = outcomes[requests.length]
    if (moved?.error !== undefined) throw moved.error
    return true
  }

  #judge({ what, allowed = [], after }: Request, outcome: Outcome<unknown>, isCrowded: boolean): void {
    const { error } = outcome
    this.tell(`  ${what}: ${inWords(error)}`)
    const inTrouble = this.trouble === NO_TROUBLE ? [] : (['provider_unavailable', 'unavailable'] as const)
    // A row that kept moving while it was asked about.
    const inACrowd = isCrowded ? (['unavailable'] as const) : []
    const isAllowed = [...allowed, ...inTrouble, ...inACrowd].some((code) => isAppError(error, code))
    if (error !== undefined && !(error instanceof Crash) && !isAllowed)
      throw new Violation(`${what} ended in a way it never should: ${inWords(error)}`, { cause: error })
    after?.(outcome)
  }

  /** Customers and banks do not wait until our servers have finished. */
  async #moveOn(): Promise<undefined> {
    for (let moves = this.random.int(1, 4); moves > 0; moves--) {
      await currentTask().turn()
      await this.random.pick(this.outside)?.(this)
    }
  }

  /** What is logged and swallowed must be trouble of this world as well, and no mistake of ours. */
  #hear(server: ServerProcess): void {
    if (server.diedAt) this.deaths.add(server.diedAt)
    for (const { event, error } of server.complaints.splice(0)) {
      const isExpected =
        error === undefined ||
        error instanceof Crash ||
        isAppError(error) ||
        error instanceof Stripe.errors.StripeError
      if (!isExpected) throw new Violation(`${event} was logged with ${inWords(error)}`, { cause: error })
    }
  }

  async read(): Promise<Books> {
    this.isWorked = false
    const billing = this.hasSubscriptions ? await readBillingBooks(this.sql) : null
    this.books = { ...(await readBooks(this.sql)), billing, passedSeconds: this.passedSeconds }
    return this.books
  }

  async passTime(ms: number): Promise<void> {
    this.passedSeconds += ms / 1000
    this.api.idempotency.finishSlow()
    this.stripe.age(ms)
    this.api.idempotency.age(ms)
    await ageBooks(this.sql, ms)
    if (this.hasSubscriptions) await ageBillingBooks(this.sql, ms)
  }
}

function inWords(error: unknown): string {
  if (error === undefined) return 'done'
  if (isAppError(error)) return error.code
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
