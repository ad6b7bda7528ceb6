import { describe, expect, it } from 'vitest'
import { errorOf, localStripe } from './support/local-stripe.ts'

const { stripe, store } = await localStripe()

/** Customers of one test, oldest first. */
async function customers(count: number, email: string): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push((await stripe.customers.create({ email })).id)
  return ids
}

describe('lists', () => {
  it('stripe.L1 ten newest first unless asked otherwise, with has_more', async () => {
    const ids = await customers(12, 'l1@example.com')

    const page = await stripe.customers.list({ email: 'l1@example.com' })

    expect(page).toMatchObject({ object: 'list', url: '/v1/customers', has_more: true })
    expect(page.data.map(({ id }) => id)).toEqual(ids.slice(2).reverse())
  })

  it('stripe.L1 starting_after and ending_before walk both ways without the cursor itself', async () => {
    const newestFirst = (await customers(7, 'l1-walk@example.com')).reverse()
    const page = async (cursor: { starting_after?: string; ending_before?: string }) => {
      const { data, has_more } = await stripe.customers.list({
        email: 'l1-walk@example.com',
        limit: 3,
        ...cursor,
      })
      return { ids: data.map(({ id }) => id), has_more }
    }

    const second = await page({ starting_after: newestFirst[2] })
    const last = await page({ starting_after: newestFirst[5] })
    const back = await page({ ending_before: newestFirst[5] })
    const first = await page({ ending_before: newestFirst[2] })

    expect(second).toEqual({ ids: newestFirst.slice(3, 6), has_more: true })
    expect(last).toEqual({ ids: newestFirst.slice(6), has_more: false })
    expect(back).toEqual({ ids: newestFirst.slice(2, 5), has_more: true })
    expect(first).toEqual({ ids: newestFirst.slice(0, 2), has_more: false })
  })

  it('stripe.L1 stripe-node pages through everything once', async () => {
    const ids = await customers(23, 'l1-all@example.com')

    const seen: string[] = []
    for await (const customer of stripe.customers.list({ email: 'l1-all@example.com', limit: 5 })) {
      seen.push(customer.id)
    }

    expect(seen).toEqual(ids.reverse())
  })

  it.each([{ limit: 0 }, { limit: 101 }])('stripe.L1 %o is refused', async (params) => {
    const error = await errorOf(stripe.customers.list(params))

    expect(error).toMatchObject({ statusCode: 400, param: 'limit' })
  })

  it('stripe.L1 two cursors at once, or one that does not exist, are refused', async () => {
    const both = await errorOf(stripe.customers.list({ starting_after: 'cus_a', ending_before: 'cus_b' }))
    const unknown = await errorOf(stripe.customers.list({ starting_after: 'cus_none' }))

    expect(both.message).toContain('only one of these parameters')
    expect(unknown).toMatchObject({ code: 'resource_missing', param: 'starting_after' })
  })

  it('stripe.L2 created filters by second or by range', async () => {
    const email = 'l2@example.com'
    const created: number[] = []
    for (let i = 0; i < 3; i++) {
      created.push((await stripe.customers.create({ email })).created)
      store.clock.advance(10_000)
    }
    const [first = 0, second = 0, third = 0] = created
    const times = async (filter: NonNullable<Parameters<typeof stripe.customers.list>[0]>['created']) =>
      (await stripe.customers.list({ email, created: filter })).data.map((customer) => customer.created)

    expect(await times(second)).toEqual([second])
    expect(await times({ gt: first })).toEqual([third, second])
    expect(await times({ gte: first, lt: third })).toEqual([second, first])
    expect(await times({ lte: first })).toEqual([first])
  })
})

describe('expand', () => {
  it('stripe.L3 works on create, retrieve and lists, four levels deep', async () => {
    const customer = await stripe.customers.create({ name: 'Ada' })
    const created = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      customer: customer.id,
      payment_method: 'pm_card_visa',
      confirm: true,
      expand: ['customer', 'payment_method'],
    })
    const retrieved = await stripe.paymentIntents.retrieve(created.id, {
      expand: ['latest_charge.payment_intent.customer'],
    })
    const listed = await stripe.paymentIntents.list({ limit: 1, expand: ['data.latest_charge'] })

    expect(created.customer).toMatchObject({ name: 'Ada' })
    expect(created.payment_method).toMatchObject({ object: 'payment_method' })
    expect(retrieved.latest_charge).toMatchObject({
      object: 'charge',
      payment_intent: { id: created.id, customer: { name: 'Ada' } },
    })
    expect(listed.data[0]?.latest_charge).toMatchObject({ object: 'charge', status: 'succeeded' })
  })

  it.each([
    ['nothing', 'cannot be expanded'],
    ['amount', 'cannot be expanded'],
    ['data.customer', 'cannot be expanded'],
    ['a.b.c.d.e', 'more than 4 levels'],
  ])('stripe.L3 %s is refused', async (path, message) => {
    const { id } = await stripe.paymentIntents.create({ amount: 1000, currency: 'usd' })

    const error = await errorOf(stripe.paymentIntents.retrieve(id, { expand: [path] }))

    expect(error).toMatchObject({ statusCode: 400 })
    expect(error.message).toContain(message)
  })

  it('stripe.L3 a refused expand leaves nothing behind', async () => {
    const params = { amount: 4321, currency: 'usd', expand: ['nothing'] }

    await errorOf(stripe.paymentIntents.create(params))

    const { data } = await stripe.paymentIntents.list({ limit: 100 })
    expect(data.filter(({ amount }) => amount === 4321)).toEqual([])
  })
})

describe('metadata', () => {
  it('stripe.L4 an update merges, an empty value unsets one key, empty metadata unsets all', async () => {
    const { id } = await stripe.customers.create({ metadata: { a: '1', b: '2' } })

    const merged = await stripe.customers.update(id, { metadata: { b: '3', c: '4' } })
    const unset = await stripe.customers.update(id, { metadata: { a: '' } })
    const none = await stripe.customers.update(id, { metadata: '' })

    expect(merged.metadata).toEqual({ a: '1', b: '3', c: '4' })
    expect(unset.metadata).toEqual({ b: '3', c: '4' })
    expect(none.metadata).toEqual({})
  })

  it('stripe.L4 50 keys of 40 characters with 500 characters are the limit', async () => {
    const full = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [`${i}`.padEnd(40, 'k'), 'v'.repeat(500)]),
    )

    const accepted = await stripe.customers.create({ metadata: full })

    expect(Object.keys(accepted.metadata)).toHaveLength(50)
    const refused: Record<string, string>[] = [
      { ...full, more: '1' },
      { ['k'.repeat(41)]: '1' },
      { k: 'v'.repeat(501) },
    ]
    for (const metadata of refused) {
      expect((await errorOf(stripe.customers.create({ metadata }))).statusCode).toBe(400)
    }
  })
})

describe('objects', () => {
  it('stripe.L5 ids and secrets have Stripe’s shapes', async () => {
    const customer = await stripe.customers.create()
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
    })
    const { data } = await stripe.events.list({ limit: 4 })
    const idOfEvent = (type: string) => data.find((event) => event.type === type)?.id

    expect(customer.id).toMatch(/^cus_\w{14}$/)
    expect(intent.id).toMatch(/^pi_3\w{23}$/)
    expect(intent.client_secret).toMatch(new RegExp(`^${intent.id}_secret_\\w{25}$`))
    expect(intent.latest_charge).toMatch(/^ch_3\w{23}$/)
    expect(intent.payment_method).toMatch(/^pm_1\w{23}$/)
    expect(idOfEvent('payment_intent.succeeded')).toMatch(/^evt_3\w{23}$/)
    expect(idOfEvent('customer.created')).toMatch(/^evt_1\w{23}$/)
  })

  it('stripe.L7 a deleted customer stays retrievable as deleted and nothing else', async () => {
    const { id } = await stripe.customers.create({ name: 'Ada', email: 'l7@example.com' })

    const deleted = await stripe.customers.del(id)

    expect(deleted).toMatchObject({ id, object: 'customer', deleted: true })
    expect(await stripe.customers.retrieve(id)).toEqual({ id, object: 'customer', deleted: true })
    expect((await stripe.customers.list({ email: 'l7@example.com' })).data).toEqual([])
    expect((await errorOf(stripe.customers.update(id, { name: 'Eve' }))).statusCode).toBe(404)
    expect((await errorOf(stripe.customers.del(id))).statusCode).toBe(404)
  })

  it('a customer is kept with what was given and changed', async () => {
    const address = { line1: '1 Main St', city: 'Springfield', country: 'US', postal_code: '12345' }

    const { id } = await stripe.customers.create({ name: 'Ada', phone: '+1', address })
    await stripe.customers.update(id, { name: 'Ada Lovelace' })

    expect(await stripe.customers.retrieve(id)).toMatchObject({
      name: 'Ada Lovelace',
      phone: '+1',
      address: { ...address, line2: null, state: null },
    })
  })

  it('balance transactions are listed with what they come from', async () => {
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      capture_method: 'automatic',
      confirm: true,
      expand: ['latest_charge.balance_transaction'],
    })
    const charge = intent.latest_charge as { id: string; balance_transaction: { id: string } }

    const { data } = await stripe.balanceTransactions.list({ source: charge.id })

    expect(data).toMatchObject([{ id: charge.balance_transaction.id, amount: 1000, fee: 59, net: 941 }])
    expect(await stripe.balanceTransactions.retrieve(charge.balance_transaction.id)).toMatchObject({
      type: 'charge',
    })
  })
})
