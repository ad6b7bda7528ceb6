import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { type EdgeServer, startEdgeServer } from '../support/edge-server'
import {
  age,
  codesOf,
  limitsAsTheyAre,
  openAll,
  orderOf,
  setLimit,
  started,
  statusOf,
  tally,
} from '../support/limits'
import { newStaff } from '../support/paid'
import { newOrder, newUserRow, setOpenPaymentsAside } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { stripeSdk } from '../support/stripe-sdk'

const { env } = stack()
const DAY = 86_400

let admin: Person
let edge: EdgeServer
let putBack: () => Promise<void>

beforeAll(async () => {
  putBack = await limitsAsTheyAre()
  admin = await newStaff('admin')
  edge = await startEdgeServer()
})
afterEach(() => putBack())
afterAll(() => edge?.stop())

const atEdge = (headers: Record<string, string> = {}) => ({ server: edge.url, headers })

describe('the amount of one payment', () => {
  it.each([
    ...['usd', 'aud', 'brl', 'cad', 'chf', 'eur', 'nzd', 'sgd'].map((code): [string, number] => [code, 50]),
    ['gbp', 30],
    ['dkk', 250],
    ['nok', 300],
    ['sek', 300],
    ['hkd', 400],
    ['jpy', 50],
    ['mxn', 1000],
  ] satisfies [string, number][])(
    'in %s may be the minimum of %i and no less (F1)',
    async (currency, minimum) => {
      const userId = await newUserRow()
      const orders = await Promise.all(
        [minimum - 1, minimum, minimum + 1].map((amount) => orderOf(userId, amount, currency)),
      )

      expect(codesOf(await openAll(userId, orders))).toEqual(['PW001', 'opened', 'opened'])
    },
  )

  it('may be the maximum of its currency and no more, or that of all currencies (F1)', async () => {
    const userId = await newUserRow()
    await setLimit(admin, 'amount_max', { value: 9_000 })
    await setLimit(admin, 'amount_max', { currency: 'eur', value: 5_000 })
    const orders = await Promise.all([
      ...[4_999, 5_000, 5_001].map((amount) => orderOf(userId, amount, 'eur')),
      ...[9_000, 9_001].map((amount) => orderOf(userId, amount, 'isk')),
    ])

    const openings = await openAll(userId, orders)

    expect(codesOf(openings)).toEqual(['opened', 'opened', 'PW002', 'opened', 'PW002'])
  })

  it('is refused in plain words and without asking Stripe, also for somebody Stripe does not know yet', async () => {
    const newcomer = await newPerson()
    const before = edge.stripe.passedOn()
    const answers = [
      await startPayment(newcomer, await orderOf(newcomer.id, 49, 'eur'), atEdge()),
      await setLimit(admin, 'amount_max', { value: 100 }).then(async () =>
        startPayment(newcomer, await newOrder(newcomer.id), atEdge()),
      ),
    ]

    expect(answers.map((answer) => answer.status)).toEqual([422, 422])
    const errors = await Promise.all(answers.map(async (answer) => (await answer.json()).error))
    expect(errors).toMatchObject([{ code: 'amount_too_small' }, { code: 'amount_too_large' }])
    for (const { message } of errors) expect(message).not.toMatch(/\d|!/)
    expect(edge.stripe.passedOn()).toBe(before)
    const [rows] = await adminSql()`select count(*)::int as n from private.stripe_customers s
      join public.customers c on c.id = s.customer_id where c.user_id = ${newcomer.id}`
    expect(rows?.n).toBe(0)
  })
})

describe('the sum of what one customer pays', () => {
  it.each([
    ['sum_day', 'PW003'],
    ['sum_month', 'PW004'],
  ])('never exceeds %s, however many start at once (F2)', async (rule, code) => {
    const userId = await newUserRow()
    await setLimit(admin, rule, { currency: 'eur', value: 10 * 2400 + 2399, windowSeconds: DAY })
    const orders = await Promise.all(Array.from({ length: 50 }, () => newOrder(userId)))

    const openings = await openAll(userId, orders)

    expect(tally(openings)).toEqual({ opened: 10, [code]: 40 })
    const [row] = await adminSql()`select sum(p.amount_minor)::int as sum from public.payments p
      join public.customers c on c.id = p.customer_id where c.user_id = ${userId}`
    expect(row?.sum).toBe(24_000)
  })

  it('counts each currency and each customer alone, and what was paid for as long as the window lasts', async () => {
    const [one, other] = await Promise.all([newUserRow(), newUserRow()])
    await setLimit(admin, 'sum_day', { value: 10_000, windowSeconds: DAY })
    const [paid] = await openAll(one, [await orderOf(one, 10_000, 'eur')])
    if (!paid || !('id' in paid)) throw new Error('the first payment opens')
    await adminSql()`update public.payments set status = 'succeeded', amount_received_minor = 10000, paid_at = now()
      where id = ${paid.id}`

    const [sameCurrency] = await openAll(one, [await orderOf(one, 50, 'eur')])
    const [otherCurrency] = await openAll(one, [await orderOf(one, 10_000, 'usd')])
    const [otherCustomer] = await openAll(other, [await orderOf(other, 10_000, 'eur')])
    await age(one, DAY)
    const [nextDay] = await openAll(one, [await orderOf(one, 10_000, 'eur')])

    expect(sameCurrency).toEqual({ code: 'PW003', seconds: expect.any(Number) })
    expect(sameCurrency && 'code' in sameCurrency && sameCurrency.seconds).toBeGreaterThan(DAY - 60)
    expect(otherCurrency).toHaveProperty('id')
    expect(otherCustomer).toHaveProperty('id')
    expect(nextDay).toHaveProperty('id')
  })

  it('counts an open payment until it is cancelled, and lets go of those left lying for a day', async () => {
    const person = await newPerson()
    const left = await started(person)
    await age(person.id, DAY + 60)
    await setLimit(admin, 'sum_day', { value: 3_000, windowSeconds: DAY })

    const refused = await startPayment(person, await newOrder(person.id), atEdge())
    await setOpenPaymentsAside()
    await sweep()
    const again = await startPayment(person, await newOrder(person.id), atEdge())

    expect(refused.status).toBe(422)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(await refused.json()).toMatchObject({ error: { code: 'daily_limit_reached' } })
    expect(await statusOf(left.paymentId)).toBe('canceled')
    expect((await stripeSdk().paymentIntents.retrieve(left.intentId)).status).toBe('canceled')
    expect(again.status).toBe(201)
  })
})

describe('how often', () => {
  it('a customer opens payments: never more than the limit, again after the window (F3)', async () => {
    const userId = await newUserRow()
    await setLimit(admin, 'attempts_customer', { value: 7, windowSeconds: 60 })
    const orders = await Promise.all(Array.from({ length: 50 }, () => newOrder(userId)))

    const openings = await openAll(userId, orders)
    await age(userId, 61)
    const later = await openAll(userId, [await newOrder(userId)])

    expect(tally(openings)).toEqual({ opened: 7, PW005: 43 })
    for (const opening of openings) if ('code' in opening) expect(opening.seconds).toBeLessThanOrEqual(60)
    expect(codesOf(later)).toEqual(['opened'])
  })

  it('payments are opened from one network, by whatever many customers at once (F3)', async () => {
    const users = await Promise.all(Array.from({ length: 20 }, () => newUserRow()))
    await setLimit(admin, 'attempts_address', { value: 6, windowSeconds: 60 })
    const network = randomUUID()

    const openings = await Promise.all(
      users.map(async (userId) => openAll(userId, [await newOrder(userId)], network)),
    )

    expect(tally(openings.flat())).toEqual({ opened: 6, PW005: 14 })
    expect(codesOf(await openAll(users[0] ?? '', [await newOrder(users[0] ?? '')], randomUUID()))).toEqual([
      'opened',
    ])
  })

  it('a network is the /24 or /64 the trusted proxy saw, and nothing a client says (F3)', async () => {
    await setLimit(admin, 'attempts_address', { value: 2, windowSeconds: 60 })
    const net = `198.51.${Math.floor(Math.random() * 250)}`
    const from = async (forwarded: string) => {
      const person = await newPerson()
      const headers = { 'x-forwarded-for': forwarded }
      return await startPayment(person, await newOrder(person.id), atEdge(headers))
    }

    const answers = [
      await from(`${net}.1`),
      await from(`203.0.113.9, ${net}.2`),
      await from(`203.0.113.10, ${net}.3`),
      await from('198.18.0.1'),
    ]

    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 429, 201])
    expect(await answers[2]?.json()).toMatchObject({ error: { code: 'too_many_attempts' } })
    expect(Number(answers[2]?.headers.get('retry-after'))).toBeLessThanOrEqual(60)
  })

  it('keeps no address: a hash of its network, none without a trusted proxy', async () => {
    const person = await newPerson()
    const headers = { 'x-forwarded-for': '192.0.2.77' }
    await startPayment(person, await newOrder(person.id), atEdge(headers))
    await startPayment(person, await newOrder(person.id), { headers })

    const rows =
      await adminSql()`select p.address_hash from public.payments p join public.customers c on c.id = p.customer_id
      where c.user_id = ${person.id} order by p.created_at`

    expect(rows).toEqual([{ address_hash: expect.stringMatching(/^[0-9a-f]{64}$/) }, { address_hash: null }])
  })
})

describe('who may change limits', () => {
  it('an admin; the change is audited and holds for the next payment', async () => {
    const userId = await newUserRow()
    const [before, after] = [await newOrder(userId), await newOrder(userId)]
    const opened = await openAll(userId, [before])

    await setLimit(admin, 'amount_max', { currency: 'eur', value: 2399 })
    const refused = await openAll(userId, [after])

    expect([codesOf(opened), codesOf(refused)]).toEqual([['opened'], ['PW002']])
    const [audited] = await adminSql()`select actor_type, actor_id, subject_id, detail from private.audit_log
      where action = 'limit.changed' and actor_id = ${admin.id} order by id desc limit 1`
    expect(audited).toEqual({
      actor_type: 'staff',
      actor_id: admin.id,
      subject_id: 'amount_max eur',
      detail: {
        reason: 'a drill of the tests',
        from: null,
        to: { value: 2399, window_seconds: null, countries: null },
      },
    })
  })

  it('nobody else: staff of other roles may read them, customers not even that', async () => {
    const [support, auditor, customer] = [
      await newStaff('support'),
      await newStaff('auditor'),
      await newPerson(),
    ]
    const read = (person: Person) => callService<unknown[]>('payment_limits', { p_actor: person.id })

    for (const person of [support, auditor, customer])
      await expect(setLimit(person, 'sum_day', { value: 1, windowSeconds: DAY })).rejects.toMatchObject({
        code: '42501',
      })
    expect((await read(support)).length).toBeGreaterThan(20)
    expect((await read(auditor)).length).toBeGreaterThan(20)
    await expect(read(customer)).rejects.toMatchObject({ code: '42501' })
    for (const path of [
      'payment_limits',
      'payments?select=address_hash',
      'payments?address_hash=not.is.null',
    ]) {
      const response = await fetch(`${env.SUPABASE_URL}/rest/v1/${path}`, {
        headers: {
          apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '',
          authorization: `Bearer ${customer.accessToken}`,
        },
      })
      expect(response.status, path).toBeGreaterThanOrEqual(400)
    }
  })

  it.each([
    ['an unknown rule', 'sum_year', { value: 1, windowSeconds: DAY }],
    ['less than nothing', 'amount_max', { value: -1 }],
    ['no attempt at all', 'attempts_customer', { value: 0, windowSeconds: 60 }],
    ['no window', 'sum_day', { value: 1 }],
    ['a currency that is none', 'amount_max', { currency: 'EURO', value: 1 }],
    ['a currency where there is none', 'failures_card', { currency: 'eur', value: 1, windowSeconds: 60 }],
    ['a country that is none', 'countries_denied', { countries: ['Ireland'] }],
  ])('refuses %s', async (_what, rule, to) => {
    await expect(setLimit(admin, rule, to)).rejects.toMatchObject({ code: '22023' })
  })
})
