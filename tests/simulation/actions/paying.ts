import type { User } from '@/lib/auth/session'
import { createOrder } from '@/lib/orders/create-order'
import { type CreatedPayment, createPayment } from '@/lib/payments/create-payment'
import { refreshPayment } from '@/lib/payments/refresh-payment'
import { NO_TROUBLE, type Outcome, runTogether, ServerProcess } from '../server-process'
import type { ModelIntent } from '../stripe/objects'
import { type OrderNote, type Request, Violation, type World } from '../world'
import type { Action, Asking } from './action'

/** Of the seed: 24.00 EUR, 129.00 USD, 1800 JPY, 12.500 KWD, 7800 ISK. */
const PRODUCTS = [1, 2, 3, 4, 5].map((n) => `7a0e8f10-0000-4000-8000-00000000000${n}`) as [
  string,
  ...string[],
]

export async function placeOrder(world: World): Promise<boolean> {
  if (world.orders.length >= 4) return false
  const owner = world.random.pick(world.people.customers)
  const input = { productId: world.random.pick(PRODUCTS), quantity: world.random.int(1, 3) }
  const [outcome] = await runTogether(
    [{ server: new ServerProcess(world.api), run: () => createOrder({ user: owner, input }) }],
    { random: world.random.fork(), trouble: NO_TROUBLE, order: 'in turns' },
  )
  if (!outcome?.value) throw new Violation('an order cannot be placed', { cause: outcome?.error })
  const { id } = outcome.value
  const row = (await world.read()).orders.find((order) => order.id === id)
  if (!row) throw new Violation('an order that was placed is not there')
  world.orders.push({ id, owner, amount: row.total_minor, currency: row.currency })
  world.tell(`somebody places ${world.name('order', id)}: ${row.total_minor} ${row.currency}`)
  return true
}

/** One press of the button, a double click, or several tabs; with keys old and new. */
function startsPayment(world: World): Request[] {
  const { random } = world
  const order = random.chance(0.7) ? unpaid(world) : random.pick(world.orders)
  if (!order) return []
  const tries = random.weighted({ '1': 5, '2': 3, '3': 1 })
  const ownKey = `key-${world.keys.size + 1}`
  const usedBefore = [...world.keys].filter(([, { owner }]) => owner === order.owner).map(([key]) => key)
  const keys = Array.from({ length: Number(tries) }, (_, index) => {
    const known = random.chance(0.3) ? random.pick(usedBefore) : undefined
    return known ?? (random.chance(0.5) ? ownKey : `${ownKey}.${index}`)
  })
  for (const key of keys) world.noteKey(key, order.owner, order.id)
  return keys.map((key) => ({
    what: `pays ${world.name('order', order.id)} with ${key}`,
    run: () => createPayment({ user: order.owner, key, input: { orderId: order.id }, address: null }),
    allowed: [
      'order_not_payable',
      'payment_refused',
      ...(world.plan.limits === 'few declines' ? (['too_many_failures'] as const) : []),
      ...(world.mayBeReused(key) ? (['idempotency_key_reused'] as const) : []),
    ],
    after: ({ value }) => {
      if (value) checkCreated(world, key, order, value as CreatedPayment)
    },
  }))
}

function unpaid(world: World): OrderNote | undefined {
  const isBegun = (order: OrderNote) =>
    world.stripe.intents.some(({ metadata }) => metadata.order_id === order.id)
  return world.orders.find((order) => !isBegun(order)) ?? world.orders.at(-1)
}

function checkCreated(world: World, key: string, order: OrderNote, created: CreatedPayment): void {
  world.keyLedTo(key, created.id)
  const intent = world.stripe.intent(created.clientSecret.replace(/_secret$/, ''))
  if (
    created.amountMinor !== order.amount ||
    intent.amount !== order.amount ||
    intent.currency !== order.currency
  )
    throw new Violation(`${key} asks for another amount than the order's`)
  if (intent.metadata.payment_id !== created.id)
    throw new Violation(`${key} got the client secret of another payment`)
}

function customerConfirms(world: World): boolean {
  const intent = pickIntent(world, ['requires_payment_method'])
  if (!intent) return false
  const how = world.random.weighted({ pays: 6, declined: 3, challenged: 3, processing: 2 })
  world.tell(`${intent.id} is confirmed: ${how}`)
  world.stripe.confirm(intent, how)
  return true
}

function bankAnswers(world: World): boolean {
  const intent = pickIntent(world, ['requires_action', 'processing', 'requires_capture'])
  if (!intent) return false
  if (intent.status === 'requires_action') {
    const how = world.random.weighted({ passed: 4, failed: 2, 'passed, then declined': 1 })
    world.tell(`${intent.id} is challenged: ${how}`)
    world.stripe.finishChallenge(intent, how)
  } else if (intent.status === 'processing') {
    const how = world.random.weighted({ arrived: 3, failed: 1 })
    world.tell(`${intent.id} was processing: ${how}`)
    world.stripe.finishProcessing(intent, how)
  } else {
    const amount = world.random.chance(0.5) ? intent.amount : world.random.int(1, intent.amount)
    world.tell(`${intent.id} is captured: ${amount}`)
    world.stripe.capture(intent, amount)
  }
  return true
}

function cancelAtStripe(world: World): boolean {
  const intent = pickIntent(world, ['requires_payment_method', 'requires_action', 'requires_capture'])
  if (!intent || intent.madeBy === 'invoice') return false
  world.tell(`${intent.id} is canceled at Stripe`)
  world.stripe.cancel(intent)
  return true
}

/** A PaymentIntent that somebody with the keys makes by hand. */
function dashboardIntent(world: World): boolean {
  const { random } = world
  const order = random.pick(world.orders)
  if (!order) return false
  const ours = world.stripe.intents.find(
    (intent) => intent.madeBy === 'app' && intent.metadata.order_id === order.id,
  )
  const linked = world.books?.payments.find((payment) => payment.intent_id === ours?.id)
  const what = random.weighted({ order: 4, 'other amount': 2, copied: 2, bare: 1, 'no customer': 1 })
  const customer = what === 'bare' ? 'cus_unknown' : (ours?.customer ?? null)
  const metadata =
    what === 'copied' && ours && linked
      ? { ...ours.metadata }
      : what === 'bare'
        ? {}
        : { order_id: order.id, payment_id: 'not an id' }
  const intent = world.stripe.createIntent({
    amount: what === 'other amount' ? order.amount + 1 : order.amount,
    currency: order.currency,
    customer: what === 'no customer' ? null : customer,
    metadata: metadata as Record<string, string>,
    madeBy: 'dashboard',
    captureMethod: random.chance(0.3) ? 'manual' : 'automatic',
  })
  world.tell(`${intent.id} is made in the dashboard: ${what} for ${world.name('order', order.id)}`)
  if (random.chance(0.7)) world.stripe.confirm(intent, 'pays')
  return true
}

function resultPageAsks(world: World): Request[] {
  const { random } = world
  const payment = random.pick(world.books?.payments.filter(({ origin }) => origin === 'app') ?? [])
  const order = world.orders.find(({ id }) => id === payment?.order_id)
  const stranger = world.people.customers.find((one) => one !== order?.owner)
  if (!payment || !order || !stranger) return []
  const what = `the result page asks about ${world.name('payment', payment.id)}`
  const run = (user: User) => () => refreshPayment({ user, paymentId: payment.id })
  if (random.chance(0.1))
    return [{ what: `${what} for a stranger`, run: run(stranger), allowed: ['not_found'], after: refused }]
  return Array.from({ length: random.int(1, 3) }, () => ({
    what,
    run: run(order.owner),
    allowed: ['payment_refused'],
  }))
}

function refused({ error }: Outcome<unknown>): void {
  if (!error) throw new Violation("a stranger was told about somebody else's payment")
}

function pickIntent(world: World, statuses: readonly ModelIntent['status'][]): ModelIntent | undefined {
  return world.random.pick(world.stripe.intents.filter(({ status }) => statuses.includes(status)))
}

export const PAYING: readonly Action[] = [
  { weight: 4, act: placeOrder },
  { weight: 14, act: customerConfirms },
  { weight: 8, act: bankAnswers },
  { weight: 1, act: cancelAtStripe },
  { weight: 2, act: dashboardIntent },
]

export const PAYING_OUTSIDE = [customerConfirms, customerConfirms, bankAnswers, bankAnswers, cancelAtStripe]

export const PAYING_ASKED: readonly { weight: number; ask: Asking }[] = [
  { weight: 8, ask: startsPayment },
  { weight: 5, ask: resultPageAsks },
]
