// What the code under test gets instead of the world: the model for Stripe, an ever patient rate limit, a log that is looked
// at, and calls to the database that can be interrupted. The database itself, and all of lib/payments, are the real ones.
import type postgres from 'postgres'
import { vi } from 'vitest'
import type { Argument } from '@/lib/db/sql'
import { callOutside, currentTask, mayCrashAt } from './server-process'

/** Who asks. With it each call would be a statement of its own, prepared once and kept for ever. */
const REQUEST = / \/\* request \S+ \*\/$/

/** Prepared statements and few connections: the same calls in two thirds of the time. */
vi.mock('postgres', async (importActual) => {
  const { default: connect } = await importActual<{ default: typeof postgres }>()
  const connectPrepared = (url: string, options: postgres.Options<Record<string, never>>) => {
    const sql = connect(url, { ...options, prepare: true, max: Math.min(options.max ?? 4, 4) })
    const { unsafe } = sql
    const prepared: typeof unsafe = (query, values, how) =>
      unsafe(query.replace(REQUEST, ''), values, { ...how, prepare: values !== undefined })
    return Object.assign(sql, { unsafe: prepared })
  }
  return { default: Object.assign(connectPrepared, connect) }
})

vi.mock('@/lib/db/sql', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/db/sql')>()
  const { AppError } = await import('@/lib/errors')
  const callService = async <Result>(name: string, args: Record<string, Argument>): Promise<Result> => {
    const { random, trouble } = currentTask()
    const lost = () => {
      if (random.chance(trouble.database / 2)) throw new AppError('unavailable', { retryAfterSeconds: 5 })
    }
    return await callOutside(`service.${name}`, async () => {
      lost()
      const answer = await actual.callService<Result>(name, args)
      lost()
      return inOrder(answer)
    })
  }
  return { ...actual, callService }
})

vi.mock('@/lib/stripe/server', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/stripe/server')>()
  const askStripe: typeof actual.askStripe = async (ask) => {
    const task = currentTask()
    return await callOutside('Stripe', () => ask(task.server.stripe.client(task)))
  }
  return { ...actual, askStripe }
})

vi.mock('@/lib/payments/crash-point', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/payments/crash-point')>()
  return { ...actual, crashPoint: mayCrashAt }
})

/** Nothing is kept in a cache. */
vi.mock('@/lib/redis/client', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/redis/client')>()
  const withRedis = async (_ask: unknown, otherwise: () => unknown) => otherwise()
  return { ...actual, withRedis }
})

vi.mock('@/lib/take-from-limits', () => ({ takeFromLimits: async () => {} }))

vi.mock('@/lib/log', async (importActual) => {
  const actual = await importActual<typeof import('@/lib/log')>()
  const complain = (event: string, fields: { error?: unknown } = {}) =>
    currentTask().server.complaints.push({ event, error: fields.error })
  const quiet = () => {}
  const log = {
    debug: quiet,
    info: quiet,
    warn: complain,
    error: complain,
    security: quiet,
    access: quiet,
  }
  return { ...actual, log, errorFields: (error: unknown) => ({ error }) }
})

/** The order of a claimed batch is nobody's promise and depends on random ids: fixed here, so that a seed repeats. */
function inOrder<Answer>(answer: Answer): Answer {
  if (!Array.isArray(answer)) return answer
  const place = (item: { createdAt?: string; event?: { id: string } }) =>
    item.createdAt ?? item.event?.id ?? ''
  return answer.toSorted((a, b) => place(a).localeCompare(place(b))) as Answer
}
