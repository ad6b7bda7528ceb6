import { beforeAll, describe, expect, it } from 'vitest'
import type { Stripe } from '@/lib/stripe/server'
import { advanceClock } from '../sandbox/stripe/support/billing'
import { payOnPage } from '../sandbox/stripe/support/hosted'
import { allHandled } from '../support/all-handled'
import { onTestClock, PLANS, priceOf, subscriptionRow } from '../support/billing'
import { adminSql, callService } from '../support/db'
import { until } from '../support/paid'
import { newPerson, type Person } from '../support/people'
import { reconcileNow } from '../support/reconcile-command'
import { type Options, post, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'

const { serverUrls, env } = stack()
const stripeUrl = env.STRIPE_API_BASE ?? ''
const DAY = 86_400

const subscribe = (person: Person | null, planId: string = PLANS.premium, options: Options = {}) =>
  post('/api/billing/checkouts', person, { planId }, options)

async function sessionOf(response: Response): Promise<string> {
  const { url } = (await response.json()) as { url: string }
  expect(url.startsWith(`${stripeUrl}/c/pay/`)).toBe(true)
  return new URL(url).pathname.split('/').at(-1) ?? ''
}

const entitled = async (person: Person) => {
  const [row] = await adminSql()`select e.tier || ' ' || e.state as line from public.customers c,
    private.entitlements(c.id, false) e where c.user_id = ${person.id}`
  return row?.line ?? null
}

const stripeCustomerOf = async (person: Person) => {
  const [row] = await adminSql()`select s.stripe_customer_id as id from private.stripe_customers s
    join public.customers c on c.id = s.customer_id where c.user_id = ${person.id} and not s.livemode`
  return String(row?.id)
}

const listOf = async (person: Person) =>
  (await stripeSdk().subscriptions.list({ customer: await stripeCustomerOf(person), status: 'all' })).data

describe('starting a subscription', () => {
  it('two tabs and two servers at once get one page, and paying it makes one subscription', async () => {
    const person = await newPerson()

    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => subscribe(person, PLANS.premium, { server: serverUrls[n % 2] })),
    )
    const statuses = answers.map(({ status }) => status)
    const sessions = new Set(await Promise.all(answers.filter(({ status }) => status === 201).map(sessionOf)))

    // A row that kept moving is a 503 to ask again; nobody gets a second page.
    expect(statuses.every((status) => status === 201 || status === 503)).toBe(true)
    expect(sessions.size).toBe(1)
    const [session = ''] = sessions
    await payOnPage(stripeUrl, session)
    await until(async () => (await entitled(person)) === 'premium active')
    expect(await listOf(person)).toHaveLength(1)
    const made = await stripeSdk().checkout.sessions.list({ customer: await stripeCustomerOf(person) })
    expect(made.data).toHaveLength(1)
    const again = await subscribe(person, PLANS.elite)
    expect([again.status, await again.json()]).toMatchObject([409, { error: { code: 'subscribed_already' } }])
    const paymentOf = async () => {
      const [payment] = await adminSql()`select p.description, p.status, p.order_id from public.payments p
        join public.customers c on c.id = p.customer_id where c.user_id = ${person.id}`
      return payment
    }
    // The subscription tells of access; events of its own tell of the money, and of what it was for.
    await until(async () => (await paymentOf())?.status === 'succeeded')
    expect(await paymentOf()).toMatchObject({ description: 'Premium', status: 'succeeded', order_id: null })
  })

  it('another plan closes the page of the first', async () => {
    const person = await newPerson()
    const first = await sessionOf(await subscribe(person, PLANS.premium))

    const second = await sessionOf(await subscribe(person, PLANS.elite))

    const status = async (id: string) => (await stripeSdk().checkout.sessions.retrieve(id)).status
    expect([await status(first), await status(second)]).toEqual(['expired', 'open'])
  })

  it('an answer that was lost is asked for again: one page (I7, I8)', async () => {
    const person = await newPerson()
    await callService('claim_stripe_customer', { p_actor: person.id, p_livemode: false })
    const rule = await fetch(`${stripeUrl}/_local/chaos/rules`, {
      method: 'POST',
      headers: { authorization: `Bearer ${stack().localSecret}` },
      body: JSON.stringify({
        fault: 'after.truncated',
        method: 'POST',
        path: '/v1/checkout/sessions',
        count: 1,
      }),
    })
    expect(rule.status).toBeLessThan(300)

    const lost = await subscribe(person)
    await fetch(`${stripeUrl}/_local/chaos`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${stack().localSecret}` },
    })
    const session = await sessionOf(await subscribe(person))

    expect([201, 503]).toContain(lost.status)
    const made = await stripeSdk().checkout.sessions.list({ customer: await stripeCustomerOf(person) })
    expect(made.data.map(({ id }) => id)).toEqual([session])
  })

  it('a customer who was deleted at Stripe gets a new one', async () => {
    const person = await newPerson()
    const { customer } = await onTestClock(person)
    await stripeSdk().customers.del(customer)

    const first = await subscribe(person)
    const second = await subscribe(person)

    expect([first.status, second.status]).toEqual([503, 201])
    expect(await stripeCustomerOf(person)).not.toBe(customer)
  })

  it('wants a person, our own page, and a plan there is', async () => {
    const person = await newPerson()

    const statuses = [
      await subscribe(null),
      await subscribe(person, PLANS.premium, { headers: { origin: 'https://evil.example' } }),
      await subscribe(person, '7a0e8f10-0000-4000-8000-00000000ffff'),
      await post('/api/billing/checkouts', person, {
        planId: PLANS.premium,
        success_url: 'https://evil.example',
      }),
      await post('/api/billing/checkouts', person, { planId: PLANS.premium, amount: 1 }),
    ]

    expect(statuses.map(({ status }) => status)).toEqual([401, 403, 404, 400, 400])
  })
})

describe('a second subscription that Stripe has anyway', () => {
  it('is recorded, cancelled and paid back, with an alert; the first stays', async () => {
    const person = await newPerson()
    const { customer, clock } = await onTestClock(person, 'pm_card_visa')
    const create = () => stripeSdk().subscriptions.create({ customer, items: [{ price: String(premium) }] })
    const premium = await priceOf(PLANS.premium)
    const first = await create()
    await until(async () => (await subscriptionRow(first.id))?.status === 'active')
    // Which is the newer is told by the second.
    await advanceClock(stripeSdk(), clock, 60)
    const second = await create()
    await until(async () => (await subscriptionRow(second.id))?.status === 'active')

    await until(async () => {
      await sweep()
      const [row] = await adminSql()`select done_at from private.subscription_cancellations c
        join public.subscriptions s on s.id = c.subscription_id where s.stripe_subscription_id = ${second.id}`
      return row?.done_at != null
    }, 40_000)
    await until(async () => {
      await sweep()
      const refunds = await stripeSdk().refunds.list({ limit: 20 })
      const payments = await stripeSdk().paymentIntents.list({ customer })
      const mine = refunds.data.filter(({ payment_intent }) =>
        payments.data.some(({ id }) => id === payment_intent),
      )
      return mine.length === 1 && mine[0]?.amount === 1900
    })

    expect((await subscriptionRow(first.id))?.status).toBe('active')
    await until(async () => (await subscriptionRow(second.id))?.status === 'canceled')
    expect((await stripeSdk().subscriptions.retrieve(second.id)).status).toBe('canceled')
    const [alert] = await adminSql()`select count(*)::int as n from private.alerts
      where kind = 'second_subscription' and subject_id = ${second.id}`
    expect(alert?.n).toBe(1)
    expect(await entitled(person)).toBe('premium active')
  })

  /** The first one is over, and nobody has told us, when the second begins. */
  async function secondAfterTheFirst() {
    const person = await newPerson()
    const { customer, clock } = await onTestClock(person, 'pm_card_visa')
    const price = await priceOf(PLANS.premium)
    const create = () => stripeSdk().subscriptions.create({ customer, items: [{ price }] })
    const first = await create()
    await until(async () => (await subscriptionRow(first.id))?.status === 'active')
    await allHandled(customer)
    await withoutWebhooks(() => stripeSdk().subscriptions.cancel(first.id))
    await advanceClock(stripeSdk(), clock, 60)
    const second = await create()
    await until(async () => (await subscriptionRow(second.id))?.status === 'active')
    return { person, customer, first, second }
  }

  const isKept = async (subscription: Stripe.Subscription) => {
    const { id } = (await subscriptionRow(subscription.id)) ?? {}
    const decisions =
      await adminSql()`select kept_at is not null as kept from private.subscription_cancellations where subscription_id = ${id ?? null}`
    return decisions.length === 1 && decisions[0]?.kept === true
  }

  it('stays when the first one is over and nobody has told us', async () => {
    const { person, first, second } = await secondAfterTheFirst()

    await until(async () => {
      await sweep()
      return await isKept(second)
    })

    expect((await subscriptionRow(first.id))?.status).toBe('canceled')
    expect((await stripeSdk().subscriptions.retrieve(second.id)).status).toBe('active')
    expect(await entitled(person)).toBe('premium active')
  })

  it('is not paid back when it has ended by itself and the first one was over before it began', async () => {
    const { customer, second } = await secondAfterTheFirst()
    await stripeSdk().subscriptions.cancel(second.id)
    await until(async () => (await subscriptionRow(second.id))?.status === 'canceled')

    await until(async () => {
      await sweep()
      return await isKept(second)
    })

    await sweep()
    const payments = await stripeSdk().charges.list({ customer })
    expect(payments.data.map(({ amount_refunded }) => amount_refunded)).toEqual([0, 0])
  })
})

describe('what got lost', () => {
  it('is found by reconciliation: subscriptions, their access and their payments (W13, R1)', {
    // It looks at all that other tests have left open, ten things a second.
    timeout: 180_000,
  }, async () => {
    const people: { person: Person; subscription: Stripe.Subscription; clock: string }[] = []
    const began = new Date(Date.now() - 5_000).toISOString()
    await withoutWebhooks(async () => {
      for (let n = 0; n < 3; n++) {
        const person = await newPerson()
        const { customer, clock } = await onTestClock(person, 'pm_card_visa')
        const subscription = await stripeSdk().subscriptions.create({
          customer,
          items: [{ price: await priceOf(PLANS.basic) }],
        })
        people.push({ person, subscription, clock })
      }
      await stripeSdk().subscriptions.cancel(people[1]?.subscription.id ?? '')
    })
    expect(await Promise.all(people.map(({ person }) => entitled(person)))).toEqual([null, null, null])

    await reconcileNow(['--repair', '--since', began])

    expect(await Promise.all(people.map(({ person }) => entitled(person)))).toEqual([
      'basic active',
      null,
      'basic active',
    ])
    for (const { person } of people) {
      const [payment] = await adminSql()`select p.status, p.description from public.payments p
        join public.customers c on c.id = p.customer_id where c.user_id = ${person.id}`
      expect(payment).toMatchObject({ status: 'succeeded', description: 'Basic' })
    }
  })
})

describe('the portal', () => {
  it('opens for whoever has subscribed, and for nobody else', async () => {
    const person = await newPerson()
    const before = await post('/api/billing/portal-sessions', person, '')
    await payOnPage(stripeUrl, await sessionOf(await subscribe(person)))
    await until(async () => (await entitled(person)) === 'premium active')

    const answers = await Promise.all([1, 2].map(() => post('/api/billing/portal-sessions', person, '')))

    expect(before.status).toBe(404)
    for (const answer of answers) {
      expect(answer.status).toBe(201)
      const { url } = (await answer.json()) as { url: string }
      expect(url.startsWith(`${stripeUrl}/p/session/`)).toBe(true)
      const page = await (await fetch(url)).text()
      expect(page).toContain('Elite')
      expect(page).toContain('Cancel at the end of the period')
    }
    expect((await post('/api/billing/portal-sessions', null, '')).status).toBe(401)
  })
})

describe('a bank that asks at a renewal', () => {
  let ada: Person
  let invoiceId: string
  let customer: string

  beforeAll(async () => {
    ada = await newPerson()
    const made = await onTestClock(ada, 'pm_card_visa')
    customer = made.customer
    const subscription = await stripeSdk().subscriptions.create({
      customer,
      items: [{ price: await priceOf(PLANS.premium) }],
    })
    const card = await stripeSdk().paymentMethods.attach('pm_card_authenticationRequired', { customer })
    await stripeSdk().customers.update(customer, {
      invoice_settings: { default_payment_method: card.id },
    })
    await until(async () => (await subscriptionRow(subscription.id))?.status === 'active')
    await advanceClock(stripeSdk(), made.clock, 32 * DAY)
    await until(async () => (await subscriptionRow(subscription.id))?.status === 'past_due')
    const [row] =
      await adminSql()`select i.id from public.invoices i join public.subscriptions s on s.id = i.subscription_id
      where s.stripe_subscription_id = ${subscription.id} and i.needs_action`
    invoiceId = String(row?.id)
  }, 60_000)

  it('leaves access for the grace, and asks the owner alone', async () => {
    expect(await entitled(ada)).toBe('premium grace')
    const bob = await newPerson()
    const ask = (person: Person | null) => post(`/api/billing/invoices/${invoiceId}/payment`, person, '')

    const hers = await ask(ada)
    const others = [
      await ask(bob),
      await ask(null),
      await post('/api/billing/invoices/nope/payment', ada, ''),
    ]

    const { status, amountMinor, currency, clientSecret } = (await hers.json()) as Record<string, unknown>
    expect(hers.status).toBe(200)
    expect({ status, amountMinor, currency }).toEqual({
      status: 'requires_action',
      amountMinor: 1900,
      currency: 'eur',
    })
    expect(clientSecret).toMatch(/_secret_/)
    expect(others.map((answer) => answer.status)).toEqual([404, 401, 404])
  })

  it('another way to pay clears it, and then there is nothing to pay', async () => {
    const [row] =
      await adminSql()`select stripe_invoice_id as id from public.invoices where id = ${invoiceId}`
    const card = await stripeSdk().paymentMethods.attach('pm_card_visa', { customer })
    await stripeSdk().invoices.pay(String(row?.id), { payment_method: card.id })
    await until(async () => (await entitled(ada)) === 'premium active')

    const again = await post(`/api/billing/invoices/${invoiceId}/payment`, ada, '')

    expect(again.status).toBe(409)
    const graces = await adminSql()`select action from private.audit_log
      where subject_id = ${invoiceId} and action like 'grace.%' order by id`
    expect(graces.map(({ action }) => action)).toEqual(['grace.started', 'grace.cleared'])
  })
})

describe('a customer nobody knows', () => {
  it('has a subscription that is recorded for staff, and fails no webhook', async () => {
    const card = 'pm_card_visa'
    const customer = await stripeSdk().customers.create({
      payment_method: card,
      invoice_settings: { default_payment_method: card },
    })
    const { id } = await stripeSdk().subscriptions.create({
      customer: customer.id,
      items: [{ price: await priceOf(PLANS.basic) }],
    })

    await until(async () => (await subscriptionRow(id))?.status === 'active')

    expect((await subscriptionRow(id))?.customer_id).toBeNull()
  })
})
