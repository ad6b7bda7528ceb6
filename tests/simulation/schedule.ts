import type postgres from 'postgres'
import { sweep } from '@/lib/payments/sweep'
import { syncObject } from '@/lib/payments/sync-object'
import type { Action } from './actions/action'
import { delivery, HEARING, HEARING_ASKED, newsArrives } from './actions/hearing'
import { MONEY_BACK, MONEY_BACK_ASKED, MONEY_BACK_OUTSIDE } from './actions/money-back'
import { PAYING, PAYING_ASKED, PAYING_OUTSIDE, placeOrder } from './actions/paying'
import {
  SUBSCRIBING,
  SUBSCRIBING_ASKED,
  SUBSCRIBING_OUTSIDE,
  somebodySubscribes,
} from './actions/subscribing'
import { checkAgreement } from './agreement'
import { type Books, emptyBooks, setLimits } from './books'
import { checkInvariants } from './invariants'
import { hasSubscriptions, makePlan } from './plan'
import { Random } from './random'
import { NO_TROUBLE } from './server-process'
import { payingCharge } from './stripe/objects'
import { type People, Violation, World } from './world'

const ASKED = [...PAYING_ASKED, ...MONEY_BACK_ASKED, ...HEARING_ASKED]
const ACTIONS: readonly Action[] = [
  ...PAYING,
  ...MONEY_BACK,
  ...HEARING,
  ...ASKED.map(({ weight, ask }) => ({ weight, act: (world: World) => world.together(ask(world)) })),
  { weight: 12, act: rushHour },
]
/** Besides, where people subscribe. */
const SUBSCRIBING_ACTIONS: readonly Action[] = [
  ...SUBSCRIBING,
  ...SUBSCRIBING_ASKED.map(({ weight, ask }) => ({
    weight,
    act: (world: World) => world.together(ask(world)),
  })),
]
/** How many steps of those come with a step of the others. */
const SUBSCRIBING_STEPS = 0.5
/** What customers and banks do without asking us. */
const OUTSIDE = [...PAYING_OUTSIDE, ...MONEY_BACK_OUTSIDE]
/** How often the scheduler may come round before all has to be finished. */
const MAX_ROUNDS = 12
const AT_ONCE = 3
const ROUND_MS = 10 * 60_000

export type Report = {
  seed: number
  steps: number
  events: number
  story: string[]
  /** Where servers died, what the audit log tells, and why staff had to look at something. */
  met: Set<string>
  violation: Error | null
}

/** Play one schedule: everything that happens in it follows from its seed. */
export async function playSchedule(seed: number, sql: postgres.Sql, people: People): Promise<Report> {
  const random = new Random(seed)
  const plan = makePlan(random)
  const busy = hasSubscriptions(seed)
    ? [...OUTSIDE, ...SUBSCRIBING_OUTSIDE, newsArrives, newsArrives]
    : OUTSIDE
  const outside = plan.name === 'calm' ? [] : busy
  const world = new World({ seed, plan, random, sql, people, outside })
  world.tell(`a ${plan.name} world, requests meeting ${plan.order}, limits: ${plan.limits}`)
  await emptyBooks(sql)
  await setLimits(sql, plan.limits)
  let steps = 0
  let violation: Error | null = null
  try {
    await placeOrder(world)
    if (world.hasSubscriptions) await world.together(somebodySubscribes(world))
    while (steps < plan.steps) {
      await step(world, ACTIONS)
      steps++
      if (world.hasSubscriptions && random.chance(SUBSCRIBING_STEPS)) await step(world, SUBSCRIBING_ACTIONS)
    }
    await bringToRest(world)
  } catch (error) {
    violation = error instanceof Error ? error : new Error(String(error))
  }
  return {
    seed,
    steps,
    events: world.stripe.log.events.length,
    story: world.story,
    met: metIn(world),
    violation,
  }
}

function metIn({ books, deaths }: World): Set<string> {
  return new Set([
    ...deaths,
    ...(books?.audit.map(({ action }) => action) ?? []),
    ...(books?.payments.flatMap(({ review_reason }) => review_reason ?? []) ?? []),
    ...(books?.events.map(({ status }) => `event ${status}`) ?? []),
  ])
}

async function step(world: World, actions: readonly Action[]): Promise<void> {
  const before = world.books
  for (let tries = 0; tries < 20; tries++) {
    if (await pickAction(world.random, actions).act(world)) break
  }
  if (world.isWorked) checkInvariants(world, before, await world.read())
}

/** Everything at once. */
function rushHour(world: World): Promise<boolean> {
  const all = world.hasSubscriptions ? [...ASKED, ...SUBSCRIBING_ASKED] : ASKED
  const kinds = world.random.shuffled(all).slice(0, world.random.int(2, 4))
  return world.together(kinds.flatMap(({ ask }) => ask(world)))
}

function pickAction(random: Random, actions: readonly Action[]): Action {
  let left = random.next() * actions.reduce((total, { weight }) => total + weight, 0)
  for (const action of actions) {
    left -= action.weight
    if (left < 0) return action
  }
  throw new Error('there is an action for every number')
}

/**
 * Let everything that is under way come to its end, with no trouble any more. What was never dropped must lead to agreement
 * by itself; what Stripe never told is asked for, as reconciliation does.
 */
async function bringToRest(world: World): Promise<void> {
  world.trouble = NO_TROUBLE
  world.outside = []
  world.tell('the trouble ends')
  for (const intent of world.stripe.intents) {
    const charge = payingCharge(intent)
    if (intent.status === 'succeeded' && charge?.settled === null) world.stripe.settleCharge(charge)
  }
  await finish(world)
  if (hasUntold(world)) {
    world.tell('Stripe is asked for what it has')
    await reconcile(world)
    await finish(world)
    // What went back only now was told by events that may be dropped as well.
    await reconcile(world)
  }
  const before = world.books
  const books = await world.read()
  checkInvariants(world, before, books)
  checkAgreement(world, books)
}

/** What no event has told us, or none that we could apply: fees known at once come without an event of their own. */
function hasUntold({ stripe, books }: World): boolean {
  const isParked = books?.events.some(({ status }) => status === 'parked') ?? false
  const isSettledAtOnce = stripe.intents.some((intent) => payingCharge(intent)?.isSettledAtOnce)
  return stripe.log.hasDropped || isParked || isSettledAtOnce
}

async function finish(world: World): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    world.api.idempotency.finishSlow()
    const left = world.random.shuffled(world.stripe.log.undelivered()).map(delivery)
    for (let from = 0; from < left.length; from += AT_ONCE)
      await world.together(left.slice(from, from + AT_ONCE))
    const before = world.books
    const books = await world.read()
    checkInvariants(world, before, books)
    if (isFinished(world, books)) return
    await world.passTime(ROUND_MS)
    await world.together([{ what: 'sweep', run: sweep }])
  }
  throw new Violation(`what was left half-way is not finished by itself: ${unfinished(world)}`)
}

/** In words, for whoever reads the failure. */
function unfinished({ books, stripe }: World): string {
  return [
    ...stripe.log.undelivered().map(({ event }) => `${event.id} untold`),
    ...(books?.events ?? []).flatMap(({ event_id, status }) =>
      status === 'pending' ? [`${event_id} pending`] : [],
    ),
    ...(books?.requests ?? []).flatMap(({ id, status }) =>
      status === 'reserved' ? [`refund ${id} reserved`] : [],
    ),
    `${books?.openDecisions ?? 0} decisions open`,
    `${books?.billing?.cancellations.filter(({ is_done }) => !is_done).length ?? 0} subscriptions to end`,
  ].join(', ')
}

function isFinished(world: World, books: Books): boolean {
  const isOpen = ({ intent_id, status }: Books['payments'][number]) =>
    intent_id === null && status !== 'canceled'
  return (
    world.stripe.log.undelivered().length === 0 &&
    !books.events.some(({ status }) => status === 'pending') &&
    !books.requests.some(({ status }) => status === 'reserved') &&
    books.openDecisions === 0 &&
    !books.billing?.cancellations.some(({ is_done }) => !is_done) &&
    !books.payments.some(isOpen)
  )
}

async function reconcile(world: World): Promise<void> {
  const { intents, refunds, disputes, billing } = world.stripe
  const objects = [
    ...intents.map(({ id }) => ({ kind: 'payment_intent' as const, id })),
    ...refunds.map(({ id }) => ({ kind: 'refund' as const, id })),
    ...disputes.map(({ id }) => ({ kind: 'dispute' as const, id })),
    ...billing.subscriptions.map(({ id }) => ({ kind: 'subscription' as const, id })),
    ...billing.invoices.map(({ id }) => ({ kind: 'invoice' as const, id })),
    ...billing.sessions.map(({ id }) => ({ kind: 'checkout.session' as const, id })),
  ]
  for (const { kind, id } of world.random.shuffled(objects)) {
    // Our version is not known here; the first answer tells it.
    const run = () => syncObject({ kind, id, expectedVersion: 0, source: 'sync' })
    await world.together([{ what: `asks for ${id}`, run }])
  }
  await world.read()
}
