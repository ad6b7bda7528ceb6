import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { post } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'

const { serverUrls, env } = stack()
const [first, second] = serverUrls as [string, string]
const origin = env.APP_ORIGIN as string

type Created = { id: string; status: string; clientSecret: string; amountMinor: number; currency: string }

const create = (person: Person | null, body: unknown, options?: Parameters<typeof post>[3]) =>
  post('/api/payments/create-payment-intent', person, body, options)

async function intentsOf(orderId: string): Promise<{ id: string; amount: number; currency: string }[]> {
  const intents = await stripeSdk().paymentIntents.list({ limit: 100 })
  return intents.data.filter((intent) => intent.metadata.order_id === orderId)
}

const paymentRows = (orderId: string) => adminSql()`select * from public.payments where order_id = ${orderId}`

describe('starting a payment', () => {
  let ada: Person
  let bob: Person

  beforeAll(async () => {
    ;[ada, bob] = await Promise.all([newPerson(), newPerson()])
  })

  it('asks Stripe for what the order says, and the browser gets a client secret that is kept nowhere', async () => {
    const orderId = await newOrder(ada.id, 2)

    const response = await create(ada, { orderId })

    expect(response.status).toBe(201)
    const created = (await response.json()) as Created
    expect(created).toEqual({
      id: expect.any(String),
      status: 'requires_payment_method',
      clientSecret: expect.stringMatching(/^pi_\w+_secret_\w+$/),
      amountMinor: 4800,
      currency: 'eur',
    })
    expect(await intentsOf(orderId)).toMatchObject([{ amount: 4800, currency: 'eur' }])
    const rows = await paymentRows(orderId)
    expect(rows).toMatchObject([{ id: created.id, status: 'requires_payment_method', attempt: 1 }])
    expect(JSON.stringify(rows)).not.toContain('_secret_')
  })

  it('makes one PaymentIntent of twenty equal requests to two servers at once (I1)', async () => {
    const orderId = await newOrder(ada.id)
    const key = randomUUID()

    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => create(ada, { orderId }, { key, server: n % 2 ? first : second })),
    )

    const created = await Promise.all(answers.map((answer) => answer.json() as Promise<Created>))
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(201))
    expect(new Set(created.map((payment) => payment.id)).size).toBe(1)
    expect(new Set(created.map((payment) => payment.clientSecret)).size).toBe(1)
    expect(await intentsOf(orderId)).toHaveLength(1)
    expect(await paymentRows(orderId)).toHaveLength(1)
  })

  it('gives two tabs with two keys the same payment (I3)', async () => {
    const orderId = await newOrder(ada.id)

    const [one, two] = await Promise.all([
      create(ada, { orderId }),
      create(ada, { orderId }, { server: second }),
    ])

    expect(((await one.json()) as Created).id).toBe(((await two.json()) as Created).id)
    expect(await intentsOf(orderId)).toHaveLength(1)
  })

  it('makes one Stripe customer for a person whose first payments start at once', async () => {
    const newcomer = await newPerson()
    const orders = await Promise.all([newOrder(newcomer.id), newOrder(newcomer.id), newOrder(newcomer.id)])

    const answers = await Promise.all(
      orders.map((orderId, n) => create(newcomer, { orderId }, { server: n % 2 ? first : second })),
    )

    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201])
    const intents = (await stripeSdk().paymentIntents.list({ limit: 100 })).data.filter((intent) =>
      orders.includes(intent.metadata.order_id ?? ''),
    )
    expect(new Set(intents.map((intent) => intent.customer)).size).toBe(1)
  })

  it('refuses a key that was used with other input, without asking Stripe (I2)', async () => {
    const [orderId, other] = await Promise.all([newOrder(ada.id), newOrder(ada.id)])
    const key = randomUUID()
    await create(ada, { orderId }, { key })

    const response = await create(ada, { orderId: other }, { key })

    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ error: { code: 'idempotency_key_reused' } })
    expect(await intentsOf(other)).toEqual([])
  })

  it("keeps one person's keys apart from another's (I2)", async () => {
    const key = randomUUID()
    const [hers, his] = await Promise.all([newOrder(ada.id), newOrder(bob.id)])

    const answers = [
      await create(ada, { orderId: hers }, { key }),
      await create(bob, { orderId: his }, { key }),
    ]

    expect(answers.map((answer) => answer.status)).toEqual([201, 201])
  })

  it("treats somebody else's order like one that does not exist", async () => {
    const his = await newOrder(bob.id)

    const answers = [await create(ada, { orderId: his }), await create(ada, { orderId: randomUUID() })]

    const bodies = await Promise.all(
      answers.map(async (answer) => ({ ...(await answer.json()).error, requestId: '' })),
    )
    expect(answers.map((answer) => answer.status)).toEqual([404, 404])
    expect(bodies[0]).toEqual(bodies[1])
    expect(await intentsOf(his)).toEqual([])
  })

  it.each([
    ['an amount', { amount: 1 }],
    ['an amount in our own words', { amountMinor: 1 }],
    ['a negative amount', { amount: -1 }],
    ['a fraction', { amount: 1.5 }],
    ['a huge amount', { amount: 1e21 }],
    ['an amount as text', { amount: '100' }],
    ['a currency', { currency: 'jpy' }],
    ['a price', { price: 'price_1' }],
    ['a discount', { discount: 100 }],
    ['an owner', { userId: randomUUID() }],
    ['a status', { status: 'succeeded' }],
    ['a prototype', JSON.parse('{"__proto__":{"amount":1}}')],
  ])('refuses a request that brings %s (I4)', async (_what, extra) => {
    const orderId = await newOrder(ada.id)
    const body = JSON.stringify({ orderId, ...extra }).replace(
      '{',
      Object.hasOwn(extra, '__proto__') ? '{"__proto__":{"amount":1},' : '{',
    )

    const response = await create(ada, body)

    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'bad_request' } })
    expect(await paymentRows(orderId)).toEqual([])
  })

  it.each([
    ['no JSON', '{'],
    ['NaN', '{"orderId":NaN}'],
    ['a list', '[]'],
    ['null', 'null'],
    ['no order', '{}'],
    ['an order that is no id', '{"orderId":"1 or 1=1"}'],
  ])('refuses a body that is %s', async (_what, body) => {
    expect((await create(ada, body)).status).toBe(400)
  })

  it('wants a signed-in person, a key, JSON, and our own Origin', async () => {
    const orderId = await newOrder(ada.id)

    expect((await create(null, { orderId })).status).toBe(401)
    expect((await create(ada, { orderId }, { key: null })).status).toBe(400)
    expect((await create(ada, { orderId }, { key: 'a'.repeat(256) })).status).toBe(400)
    expect((await create(ada, { orderId }, { headers: { 'content-type': 'text/plain' } })).status).toBe(415)
    for (const foreign of ['https://evil.example', 'null', `${origin}.evil.example`]) {
      expect((await create(ada, { orderId }, { headers: { origin: foreign } })).status, foreign).toBe(403)
    }
    expect((await create(ada, { orderId }, { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
    expect(await paymentRows(orderId)).toEqual([])
  })

  it('refuses a request without an Origin', async () => {
    const response = await fetch(`${first}/api/payments/create-payment-intent`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), cookie: ada.cookie },
      body: JSON.stringify({ orderId: await newOrder(ada.id) }),
    })

    expect(response.status).toBe(403)
  })

  it('counts ten new payments a minute per person over both servers, and no repeated key', async () => {
    const eager = await newPerson()
    const keys = Array.from({ length: 10 }, () => randomUUID())
    const orders = await Promise.all(keys.map(() => newOrder(eager.id)))
    const statuses = []
    for (const [n, key] of keys.entries()) {
      statuses.push(
        (await create(eager, { orderId: orders[n] }, { key, server: n % 2 ? first : second })).status,
      )
    }

    const repeated = await create(eager, { orderId: orders[0] }, { key: keys[0] })
    const eleventh = await create(eager, { orderId: await newOrder(eager.id) }, { server: second })

    expect(statuses).toEqual(Array(10).fill(201))
    expect(repeated.status).toBe(201)
    expect(eleventh.status).toBe(429)
    expect(Number(eleventh.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(eleventh.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect(await eleventh.json()).toMatchObject({ error: { code: 'too_many_requests' } })
  })

  it.each([
    ['0 decimals', '7a0e8f10-0000-4000-8000-000000000003', 1800, 'jpy'],
    ['3 decimals', '7a0e8f10-0000-4000-8000-000000000004', 12_500, 'kwd'],
    ["Stripe's two decimals of a currency without", '7a0e8f10-0000-4000-8000-000000000005', 780_000, 'isk'],
  ])('asks the right amount in a currency with %s', async (_what, productId, amount, currency) => {
    const person = await newPerson()
    const orderId = await newOrder(person.id, 1, productId)

    const response = await create(person, { orderId })

    expect(response.status).toBe(201)
    expect(await intentsOf(orderId)).toMatchObject([{ amount, currency }])
  })
})
