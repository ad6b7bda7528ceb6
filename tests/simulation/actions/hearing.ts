import { isAppError } from '@/lib/errors'
import { applyEvent } from '@/lib/payments/apply-event'
import { eventFacts, sha256 } from '@/lib/payments/facts'
import { sweep } from '@/lib/payments/sweep'
import { Crash } from '../server-process'
import type { ModelEvent } from '../stripe/event-log'
import type { Request, World } from '../world'
import type { Action, Asking } from './action'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** Some of what Stripe has to tell, in any order, some of it again, and several at once. */
function stripeDelivers(world: World): Request[] {
  const { random } = world
  const fresh = random.shuffled(world.stripe.log.undelivered()).slice(0, random.int(1, 6))
  const known = world.stripe.log.events.filter((one) => one.isAccepted)
  const again = random.chance(0.3) ? random.shuffled(known).slice(0, random.int(1, 2)) : []
  const twice = random.chance(0.2) ? fresh.slice(0, 1) : []
  return random.shuffled([...fresh, ...again, ...twice]).map(delivery)
}

/** An event for what stands behind the webhook's route. */
export function delivery(one: ModelEvent): Request {
  const { event } = one
  return {
    what: `${event.id} ${event.type}`,
    run: async () =>
      applyEvent({
        event: await eventFacts(event),
        payloadHash: await sha256(JSON.stringify(event)),
        verifiedWith: 'current',
        source: 'webhook',
      }),
    // A server that died after the commit has not answered: Stripe sends the event again.
    after: ({ error }) => {
      if (!error) one.isAccepted = true
    },
  }
}

/** What has just happened is told while our servers are still at work on what happened before. */
export async function newsArrives(world: World): Promise<void> {
  const news = world.stripe.log.undelivered().at(-1)
  if (!news) return
  const { run, after } = delivery(news)
  try {
    const value = await run()
    after?.({ value })
  } catch (error) {
    // It comes again, like everything that was not taken.
    if (!(error instanceof Crash) && !isAppError(error, 'unavailable')) throw error
  }
}

/** The scheduler comes round; sometimes twice at once. */
function schedulerSweeps(world: World): Request[] {
  const sweeps = world.random.weighted({ '1': 4, '2': 1 })
  return Array.from({ length: Number(sweeps) }, () => ({ what: 'the scheduler sweeps', run: sweep }))
}

async function aWhilePasses(world: World): Promise<boolean> {
  const minutes = world.random.pick([1, 2, 10])
  world.tell(`${minutes} minutes pass`)
  await world.passTime(minutes * MINUTE_MS)
  return world.together(schedulerSweeps(world))
}

/** Long enough for Stripe to forget an idempotency key, or only nearly. */
async function timePasses(world: World): Promise<boolean> {
  const hours = world.random.pick([1, 22.9, 23.5, 25, 72])
  world.tell(`${hours} hours pass`)
  await world.passTime(hours * HOUR_MS)
  return true
}

function slowRequestEnds(world: World): boolean {
  if (world.api.idempotency.slow === 0) return false
  world.tell('what was slow is done')
  world.api.idempotency.finishSlow()
  return true
}

export const HEARING: readonly Action[] = [
  { weight: 7, act: aWhilePasses },
  { weight: 2, act: timePasses },
  { weight: 4, act: slowRequestEnds },
]

export const HEARING_ASKED: readonly { weight: number; ask: Asking }[] = [
  { weight: 20, ask: stripeDelivers },
  { weight: 2, ask: schedulerSweeps },
]
