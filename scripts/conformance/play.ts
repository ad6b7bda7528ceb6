// Plays the scenarios against one Stripe.
import { randomBytes } from 'node:crypto'
import type Stripe from 'stripe'
import type { Scenario } from './scenario.ts'
import { describeError, Impossible, type Outcome, type Side, type Stage } from './side.ts'

export type Played = {
  scenario: string
  rows: readonly string[]
  outcomes: Outcome[]
  /** The types of all events about objects of this scenario, each once, sorted: their order is nobody's promise. */
  events: string[]
}

export async function playAll(
  { stripe, settleMs }: Side,
  scenarios: readonly Scenario[],
  onProgress: (line: string) => void = () => {},
): Promise<Played[]> {
  const runId = `conformance-${randomBytes(6).toString('hex')}`
  // A minute of grace: two clocks.
  const since = Math.floor(Date.now() / 1000) - 60
  const settle = () => new Promise<void>((resolve) => setTimeout(resolve, settleMs))
  const played: { scenario: Scenario; outcomes: Outcome[]; ids: Set<string> }[] = []
  for (const scenario of scenarios) {
    onProgress(scenario.name)
    const outcomes: Outcome[] = []
    const ids = new Set<string>()
    await scenario.play(stageOf({ stripe, runId, settle }, outcomes, ids)).catch((error: unknown) => {
      // What follows an impossible step is not played; the step itself is written down.
      if (!(error instanceof Impossible)) throw error
    })
    played.push({ scenario, outcomes, ids })
  }
  await settle()
  const events = await stripe.events
    .list({ created: { gte: since }, limit: 100 })
    .autoPagingToArray({ limit: 5000 })
  return played.map(({ scenario, outcomes, ids }) => ({
    scenario: scenario.name,
    rows: scenario.rows,
    outcomes,
    events: [...new Set(events.filter((event) => isAbout(event, ids)).map(({ type }) => type))].sort(),
  }))
}

function stageOf(
  base: Pick<Stage, 'stripe' | 'runId' | 'settle'>,
  outcomes: Outcome[],
  ids: Set<string>,
): Stage {
  const step: Stage['step'] = async (name, call, facts) => {
    try {
      const value = await call()
      collectIds(value, ids)
      outcomes.push({ ...SUCCESS, step: name, facts: facts?.(value) ?? {} })
      return value
    } catch (error) {
      collectIds((error as { payment_intent?: unknown }).payment_intent, ids)
      outcomes.push(describeError(name, error))
      return null
    }
  }
  return {
    ...base,
    step,
    async must(name, call, facts) {
      const value = await step(name, call, facts)
      if (value === null) throw new Impossible(name)
      return value
    },
  }
}

const SUCCESS = { status: 200, type: null, code: null, declineCode: null, param: null, message: null }

/** Only ids this scenario made: what it listed may belong to another one. */
function collectIds(value: unknown, ids: Set<string>): void {
  if (typeof value !== 'object' || value === null) return
  const { id, latest_charge, object } = value as Record<string, unknown>
  if (object === 'list') return
  if (typeof id === 'string') ids.add(id)
  if (typeof latest_charge === 'string') ids.add(latest_charge)
}

function isAbout({ data: { object } }: Stripe.Event, ids: ReadonlySet<string>): boolean {
  const { id, payment_intent, charge, customer } = object as unknown as Record<string, unknown>
  return [id, payment_intent, charge, customer].some((one) => typeof one === 'string' && ids.has(one))
}
