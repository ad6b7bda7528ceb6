import type { Random } from './random'
import { NO_TROUBLE, type Trouble } from './server-process'
import type { EventHabits } from './stripe/event-log'

/** How rough the world of one schedule is. */
export type Plan = {
  name: string
  trouble: Trouble
  habits: EventHabits
  /** Whether requests that meet take turns at every call, which a replay repeats, or meet inside the database. */
  order: 'in turns' | 'at once'
  steps: number
  limits: Limits
}

/** What staff have set: how many declines end a payment, and whose cards are not taken. */
export type Limits = 'none' | 'few declines' | 'a country'

const WORLDS: Record<string, { weight: number; trouble: Trouble; habits: EventHabits }> = {
  calm: { weight: 2, trouble: NO_TROUBLE, habits: { drop: 0, twice: 0, oldVersion: 0 } },
  disordered: { weight: 3, trouble: NO_TROUBLE, habits: { drop: 0, twice: 0.2, oldVersion: 0.15 } },
  rough: {
    weight: 6,
    trouble: { crash: 0.04, database: 0.03, stripe: 0.1 },
    habits: { drop: 0.05, twice: 0.1, oldVersion: 0.1 },
  },
  wild: {
    weight: 4,
    trouble: { crash: 0.1, database: 0.08, stripe: 0.3 },
    habits: { drop: 0.2, twice: 0.2, oldVersion: 0.1 },
  },
  faithful: {
    weight: 3,
    trouble: { crash: 0.08, database: 0.05, stripe: 0.2 },
    habits: { drop: 0, twice: 0.1, oldVersion: 0.1 },
  },
  deaf: {
    weight: 1,
    trouble: { crash: 0.05, database: 0.02, stripe: 0.1 },
    habits: { drop: 1, twice: 0, oldVersion: 0 },
  },
}

/** In one world of three people subscribe as well. Nothing is drawn for it: the others' stories stay what they are. */
export function hasSubscriptions(seed: number): boolean {
  return seed % 3 === 0
}

export function makePlan(random: Random): Plan {
  const weights = Object.fromEntries(Object.entries(WORLDS).map(([name, { weight }]) => [name, weight]))
  const name = random.weighted(weights)
  const world = WORLDS[name]
  if (!world) throw new Error(`there is no world ${name}`)
  const order = random.chance(0.2) ? 'at once' : 'in turns'
  const limits = random.weighted<Limits>({ none: 1, 'few declines': 1, 'a country': 1 })
  return { name, trouble: world.trouble, habits: world.habits, order, steps: random.int(20, 40), limits }
}
