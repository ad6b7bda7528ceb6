import { Hono } from 'hono'
import { z } from 'zod'
import type { StripeContext } from '../context.ts'
import { accountCurrency, setAccountCurrency } from '../core/account.ts'
import { nextJobAtMs } from '../core/jobs.ts'
import { readBody, refused } from './body.ts'

const MOST_SECONDS = 10 * 366 * 24 * 60 * 60

/** `now` in unix seconds. Time goes forward only: what has happened has happened. */
const clockBody = z.union([
  z.strictObject({ advanceSeconds: z.number().min(0).max(MOST_SECONDS) }),
  z.strictObject({ now: z.int().positive() }),
])

const accountBody = z.strictObject({ settlementCurrency: z.string().length(3).nullable() })

/** Move on; what falls due meanwhile has happened when this returns. @throws StripeError for backwards, or too far. */
export function advanceClock({ jobs }: Pick<StripeContext, 'jobs'>, seconds: number): void {
  const allowed = seconds >= 0 && seconds <= MOST_SECONDS
  if (!allowed) throw refused('The clock can be moved forward by up to ten years')
  // Whole milliseconds: the database takes no other times.
  jobs.advance(Math.round(seconds * 1000))
}

/** This Stripe's time, and the currency its balance is kept in. */
export function accountRoutes(context: StripeContext): Hono {
  const { store } = context
  const app = new Hono()
  const clock = () => {
    const next = nextJobAtMs(store)
    return {
      now: store.clock.now(),
      advancedSeconds: Math.round(store.clock.offsetMs / 1000),
      /** How long until something happens by itself: a settlement, a refund that finishes. Null when nothing waits. */
      nextInMs: next === null ? null : Math.max(next - store.clock.systemNowMs(), 0),
    }
  }
  const account = () => ({ settlementCurrency: accountCurrency(store) })

  app.get('/clock', (c) => c.json(clock()))
  app.post('/clock', async (c) => {
    const body = await readBody(c, clockBody)
    const seconds = 'now' in body ? body.now - store.clock.now() : body.advanceSeconds
    advanceClock(context, seconds)
    return c.json(clock())
  })

  app.get('/account', (c) => c.json(account()))
  app.post('/account', async (c) => {
    const { settlementCurrency } = await readBody(c, accountBody)
    store.transaction(() => setAccountCurrency(store, settlementCurrency))
    return c.json(account())
  })

  return app
}
