import { randomUUID } from 'node:crypto'
import type { Stripe } from '@/lib/stripe/server'
import { adminSql } from './db'
import { eventOf } from './stripe-events'

type Fields = Record<string, unknown>

/** Somebody whom Stripe knows, and the ids of what they are about to have. */
export type Subscriber = Record<
  'customerId' | 'stripeCustomerId' | 'subscription' | 'first' | 'renewal' | 'intent' | 'charge' | 'session',
  string
>

/** What happens at Stripe, step by step: all that has changed by then, and the events that tell of it. */
export type BillingStory = {
  states: Map<string, Fields>[]
  events: { step: number; event: Stripe.Event }[]
}

type Step = { changed: Fields[]; told: { type: string; object: Fields; at?: number }[] }

/** Premium, at a price of its own: the plan's current one is a real one of the local Stripe, made by whoever subscribes first. */
export const PREMIUM = { planId: '7a0e8f10-0000-4000-8000-000000000102', price: 'price_premium_of_tests' }

/** When the first payment of a renewal failed: half an hour ago. Seconds. */
export const FAILED_AT = Math.floor(Date.now() / 1000) - 1800
export const PERIOD_END = 1_900_000_000

/** Many customers, each with a Checkout page of ours open; written straight into the tables. */
export async function manySubscribers(howMany: number): Promise<Subscriber[]> {
  const subscribers = Array.from({ length: howMany }, (): Subscriber => {
    const suffix = randomUUID().replaceAll('-', '')
    const named = (prefix: string) => `${prefix}_${suffix}`
    return {
      customerId: randomUUID(),
      stripeCustomerId: named('cus'),
      subscription: named('sub'),
      first: named('in_first'),
      renewal: named('in_renewal'),
      intent: named('pi'),
      charge: named('ch'),
      session: named('cs_test'),
    }
  })
  await adminSql().begin(async (sql) => {
    await sql`insert into private.stripe_prices (livemode, stripe_price_id, stripe_product_id, plan_id, amount_minor, currency, interval)
      values (false, ${PREMIUM.price}, 'prod_of_tests', ${PREMIUM.planId}, 1800, 'eur', 'month')
      on conflict (livemode, stripe_price_id) do nothing`
    const rows = sql`select * from jsonb_to_recordset(${sql.json(subscribers)}) as p
      ("customerId" uuid, "stripeCustomerId" text, session text)`
    await sql`insert into public.customers (id) select "customerId" from (${rows}) r`
    await sql`insert into private.stripe_customers (customer_id, livemode, stripe_customer_id)
      select "customerId", false, "stripeCustomerId" from (${rows}) r`
    await sql`insert into private.subscription_checkouts
        (customer_id, plan_id, product_group, livemode, status, stripe_session_id, stripe_request, expires_at)
      select "customerId", ${PREMIUM.planId}, 'membership', false, 'open', session, '{}', now() + interval '1 hour' from (${rows}) r`
  })
  return subscribers
}

function story(steps: Step[]): BillingStory {
  const states: BillingStory['states'] = []
  const events: BillingStory['events'] = []
  for (const [step, { changed, told }] of steps.entries()) {
    states.push(
      new Map([...(states.at(-1) ?? []), ...changed.map((one): [string, Fields] => [String(one.id), one])]),
    )
    for (const { type, object, at } of told) {
      const event = eventOf(type, object, at === undefined ? {} : { created: at })
      events.push({ step, event: event as unknown as Stripe.Event })
    }
  }
  return { states, events }
}

export const subscriptionOf = (who: Subscriber, status: string, more: Fields = {}): Fields => ({
  id: who.subscription,
  object: 'subscription',
  status,
  customer: who.stripeCustomerId,
  created: FAILED_AT - 2_592_000,
  cancel_at: null,
  ended_at: null,
  latest_invoice: who.first,
  metadata: {},
  items: { data: [{ price: { id: PREMIUM.price }, current_period_end: PERIOD_END }] },
  ...more,
})

const intentOf = (who: Subscriber, status: string, more: Fields = {}): Fields => ({
  id: who.intent,
  object: 'payment_intent',
  amount: 1900,
  amount_received: status === 'succeeded' ? 1900 : 0,
  currency: 'eur',
  customer: who.stripeCustomerId,
  last_payment_error: null,
  latest_charge: status === 'succeeded' ? chargeOf(who, 'succeeded') : null,
  metadata: {},
  status,
  ...more,
})

const chargeOf = (who: Subscriber, status: string): Fields => ({
  id: who.charge,
  object: 'charge',
  amount: 1900,
  amount_captured: status === 'succeeded' ? 1900 : 0,
  captured: status === 'succeeded',
  currency: 'eur',
  failure_code: null,
  outcome: {},
  payment_intent: who.intent,
  payment_method_details: {},
  balance_transaction: null,
  status,
})

export const invoiceOf = (
  who: Subscriber,
  id: string,
  status: string,
  tries: number,
  more: Fields = {},
): Fields => ({
  id,
  object: 'invoice',
  status,
  customer: who.stripeCustomerId,
  billing_reason: id === who.first ? 'subscription_create' : 'subscription_cycle',
  parent: { subscription_details: { subscription: who.subscription } },
  amount_due: 1900,
  amount_paid: status === 'paid' ? 1900 : 0,
  currency: 'eur',
  attempted: tries > 0,
  attempt_count: tries,
  payments: {
    data:
      status === 'draft'
        ? []
        : [
            {
              is_default: true,
              payment: {
                payment_intent: intentOf(who, status === 'paid' ? 'succeeded' : 'requires_payment_method'),
              },
            },
          ],
  },
  ...more,
})

/** stripe.E4: through a Checkout page; the session is told of before the subscription. Thirteen events. */
export function checkingOut(who: Subscriber): BillingStory {
  const subscription = subscriptionOf(who, 'active')
  const paid = invoiceOf(who, who.first, 'paid', 1)
  const intent = intentOf(who, 'succeeded')
  const session = {
    id: who.session,
    object: 'checkout.session',
    status: 'complete',
    subscription: who.subscription,
    metadata: {},
    url: null,
  }
  const tell = (type: string, object: Fields) => ({ type, object })
  return story([
    {
      changed: [subscription, paid, intent, session],
      told: [
        tell('charge.succeeded', chargeOf(who, 'succeeded')),
        tell('payment_method.attached', { id: 'pm_1', object: 'payment_method' }),
        tell('customer.created', { id: who.stripeCustomerId, object: 'customer' }),
        tell('customer.updated', { id: who.stripeCustomerId, object: 'customer' }),
        tell('checkout.session.completed', session),
        tell('customer.subscription.created', subscription),
        tell('payment_intent.created', intentOf(who, 'requires_payment_method')),
        tell('payment_intent.succeeded', intent),
        tell('invoice.created', paid),
        tell('invoice.finalized', paid),
        tell('invoice.paid', paid),
        tell('invoice.payment_succeeded', paid),
        tell('invoice_payment.paid', { id: 'inpay_1', object: 'invoice_payment' }),
      ],
    },
  ])
}

/** stripe.E14: by the API, incomplete until its first invoice is paid. Nine events. */
export function completing(who: Subscriber): BillingStory {
  const waiting = subscriptionOf(who, 'incomplete')
  const open = invoiceOf(who, who.first, 'open', 0)
  const paid = invoiceOf(who, who.first, 'paid', 1)
  const active = subscriptionOf(who, 'active')
  const intent = intentOf(who, 'succeeded')
  return story([
    {
      changed: [waiting, open, intentOf(who, 'requires_payment_method')],
      told: [
        { type: 'customer.subscription.created', object: waiting },
        { type: 'invoice.created', object: open },
        { type: 'invoice.finalized', object: open },
        { type: 'payment_intent.created', object: intentOf(who, 'requires_payment_method') },
      ],
    },
    {
      changed: [paid, active, intent],
      told: [
        { type: 'charge.succeeded', object: chargeOf(who, 'succeeded') },
        { type: 'payment_intent.succeeded', object: intent },
        { type: 'invoice.paid', object: paid },
        { type: 'invoice.payment_succeeded', object: paid },
        { type: 'customer.subscription.updated', object: active },
      ],
    },
  ])
}

/** stripe.E15: a month later. Paid at once; or it fails, fails again, and in one of the stories is paid after all. Five events each. */
export function renewing(who: Subscriber, ending: 'paid' | 'owed' | 'paid late'): BillingStory {
  const newest = { latest_invoice: who.renewal }
  const begun = subscriptionOf(who, 'active', newest)
  const behind = subscriptionOf(who, 'past_due', newest)
  const invoice = (status: string, tries: number) => invoiceOf(who, who.renewal, status, tries)
  const old = invoiceOf(who, who.first, 'paid', 1)
  const created: Step = {
    changed: [begun, old, invoice('draft', 0), intentOf(who, 'requires_payment_method')],
    told: [{ type: 'invoice.created', object: invoice('draft', 0) }],
  }
  const failed: Step = {
    changed: [behind, invoice('open', 1)],
    told: [
      { type: 'invoice.payment_failed', object: invoice('open', 1), at: FAILED_AT },
      { type: 'customer.subscription.updated', object: behind, at: FAILED_AT },
    ],
  }
  const failedAgain: Step = {
    changed: [invoice('open', 2)],
    told: [{ type: 'invoice.payment_failed', object: invoice('open', 2), at: FAILED_AT + 900 }],
  }
  const paid: Step = {
    changed: [begun, invoice('paid', 2), intentOf(who, 'succeeded')],
    told: [
      { type: 'invoice.paid', object: invoice('paid', 2) },
      { type: 'customer.subscription.updated', object: begun },
    ],
  }
  if (ending === 'owed') {
    const finalized = { ...created, told: [{ type: 'invoice.finalized', object: invoice('open', 0) }] }
    return story([created, { ...finalized, changed: [invoice('open', 0)] }, failed, failedAgain])
  }
  if (ending === 'paid late')
    return story([failed, failedAgain, { ...paid, told: paid.told }].map(withPast(created)))
  return story([
    created,
    { changed: [invoice('open', 0)], told: [{ type: 'invoice.finalized', object: invoice('open', 0) }] },
    {
      changed: paid.changed,
      told: [{ type: 'payment_intent.succeeded', object: intentOf(who, 'succeeded') }, ...paid.told],
    },
  ])
}

/** Two renewals fail, ten minutes apart; in one of the stories the older one is paid then. Three events, or four. */
export function fallingBehind(who: Subscriber, ending: 'both owed' | 'older paid'): BillingStory {
  const newer = `${who.renewal}_newer`
  const behind = subscriptionOf(who, 'past_due', { latest_invoice: newer })
  const invoice = (id: string, status: string) => invoiceOf(who, id, status, 1)
  const failed = (id: string, at: number): Step => ({
    changed: [invoice(id, 'open')],
    told: [{ type: 'invoice.payment_failed', object: invoice(id, 'open'), at }],
  })
  const past: Step = {
    changed: [behind, invoiceOf(who, who.first, 'paid', 1), invoice(newer, 'draft')],
    told: [],
  }
  const updated: Step = {
    changed: [],
    told: [{ type: 'customer.subscription.updated', object: behind, at: FAILED_AT }],
  }
  const paid: Step = {
    changed: [invoice(who.renewal, 'paid')],
    told: [{ type: 'invoice.paid', object: invoice(who.renewal, 'paid') }],
  }
  const steps = [withPast(past)(failed(who.renewal, FAILED_AT - 600), 0), failed(newer, FAILED_AT), updated]
  return story(ending === 'older paid' ? [...steps, paid] : steps)
}

/** The first step of a story holds what was there before it. */
function withPast(past: Step): (step: Step, index: number) => Step {
  return (step, index) => (index === 0 ? { ...step, changed: [...past.changed, ...step.changed] } : step)
}

/** stripe.E16: cancelled at the end of the period, resumed, cancelled again, over. Four events. */
export function cancelling(who: Subscriber): BillingStory {
  const active = subscriptionOf(who, 'active')
  const ending = subscriptionOf(who, 'active', { cancel_at: PERIOD_END })
  const over = subscriptionOf(who, 'canceled', { cancel_at: PERIOD_END, ended_at: PERIOD_END })
  const updated = (object: Fields): Step => ({
    changed: [object],
    told: [{ type: 'customer.subscription.updated', object }],
  })
  const past: Step = {
    changed: [active, invoiceOf(who, who.first, 'paid', 1), intentOf(who, 'succeeded')],
    told: [],
  }
  return story([
    withPast(past)(updated(ending), 0),
    updated(active),
    updated(ending),
    { changed: [over], told: [{ type: 'customer.subscription.deleted', object: over }] },
  ])
}
