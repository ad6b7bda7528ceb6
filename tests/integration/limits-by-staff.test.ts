import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { limitsAsTheyAre } from '../support/limits'
import { newStaff } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { get, startPayment } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { auditOf, limitOf, putLimit, REASON } from '../support/staff'

const [first, second] = stack().serverUrls as [string, string]

let admin: Person
let other: Person
let putBack: () => Promise<void>
beforeAll(async () => {
  putBack = await limitsAsTheyAre()
})
afterEach(() => putBack())

const refusal = async (response: Response) => ({
  status: response.status,
  code: ((await response.json()) as { error: { code: string } }).error.code,
})

describe('payment limits in the hands of staff', () => {
  beforeAll(async () => {
    ;[admin, other] = await Promise.all([newStaff('admin'), newStaff('admin')])
  })

  it('an admin looks, sets one, and the next payment meets it on the other server (F1)', async () => {
    const person = await newPerson()
    const before = await limitOf(admin, 'amount_max')

    const set = await putLimit(
      admin,
      'amount_max',
      { value: 2399, version: before.version },
      { server: first },
    )
    const refused = await startPayment(person, await newOrder(person.id), { server: second })

    expect(set.status).toBe(200)
    expect(await set.json()).toEqual({
      limit: {
        ...before,
        value: 2399,
        version: before.version + 1,
        changedAt: expect.any(String),
        changedBy: admin.id,
      },
    })
    expect(await refusal(refused)).toEqual({ status: 422, code: 'amount_too_large' })
    expect(await auditOf(admin, 'limit.changed')).toEqual([
      {
        actor_type: 'staff',
        subject_type: 'payment_limit',
        subject_id: 'amount_max *',
        detail: {
          reason: REASON,
          from: { value: before.value, window_seconds: null, countries: null },
          to: { value: 2399, window_seconds: null, countries: null },
        },
      },
    ])
    expect(await auditOf(admin, 'limits.read')).toHaveLength(1)
  })

  it('of two who change the same limit at once, one is told to look again', async () => {
    const { version, windowSeconds } = await limitOf(admin, 'sum_day')
    const to = (value: number) => ({ value, windowSeconds, version })

    const answers = await Promise.all([
      putLimit(admin, 'sum_day', to(1_000), { server: first }),
      putLimit(other, 'sum_day', to(2_000), { server: second }),
    ])

    const statuses = answers.map(({ status }) => status)
    expect(statuses.toSorted()).toEqual([200, 409])
    const loser = answers[statuses.indexOf(409)] as Response
    expect(await refusal(loser)).toEqual({ status: 409, code: 'changed_meanwhile' })
    expect((await limitOf(admin, 'sum_day')).value).toBe(statuses[0] === 200 ? 1_000 : 2_000)
    expect((await limitOf(admin, 'sum_day')).version).toBe(version + 1)
  })

  it('a currency gets a limit of its own once; setting what holds already leaves no row', async () => {
    const one = await newStaff('admin')
    const seldom = { currency: 'isk', value: 500, version: 0 }

    const made = await Promise.all([putLimit(one, 'amount_min', seldom), putLimit(one, 'amount_min', seldom)])
    const again = await putLimit(one, 'amount_min', { ...seldom, version: 1 })
    const gone = await putLimit(one, 'amount_min', { ...seldom, value: null, version: 1 })

    expect(made.map(({ status }) => status).toSorted()).toEqual([200, 409])
    expect([again.status, gone.status]).toEqual([200, 200])
    expect((await limitOf(one, 'amount_min', 'isk')).value).toBeNull()
    expect((await auditOf(one, 'limit.changed')).map(({ detail }) => detail.to.value)).toEqual([500, null])
  })

  it('countries are set as a list', async () => {
    const { version } = await limitOf(admin, 'countries_denied')

    const set = await putLimit(admin, 'countries_denied', { countries: ['KP', 'IR', 'KP'], version })

    expect(await set.json()).toMatchObject({ limit: { countries: ['IR', 'KP'], value: null } })
  })

  it.each([
    ['no version', 'amount_max', { value: 1 }],
    ['less than nothing', 'amount_max', { value: -1, version: 1 }],
    ['a fraction', 'amount_max', { value: 1.5, version: 1 }],
    ['more than can be counted', 'amount_max', { value: 1e21, version: 1 }],
    ['a text', 'amount_max', { value: '100', version: 1 }],
    ['a window where there is none', 'amount_max', { value: 1, windowSeconds: 60, version: 1 }],
    ['no window where there is one', 'sum_day', { value: 1, version: 1 }],
    ['a country that is none', 'countries_denied', { countries: ['Ireland'], version: 1 }],
    ['a currency that is none', 'amount_max', { currency: 'EURO', value: 1, version: 0 }],
    ['a field that is none', 'amount_max', { value: 1, version: 1, changedBy: 'me' }],
    ['no reason', 'amount_max', { value: 1, version: 1, reason: '' }],
  ])('%s is refused', async (_what, rule, body) => {
    expect(await refusal(await putLimit(admin, rule, body))).toEqual({ status: 400, code: 'bad_request' })
  })

  it('a rule that is none is not found, and nobody else gets near', async () => {
    const customer = await newPerson()

    expect((await putLimit(admin, 'sum_year', { value: 1, version: 0 })).status).toBe(404)
    expect((await putLimit(customer, 'amount_max', { value: 1, version: 1 })).status).toBe(403)
    expect((await get('/api/admin/payment-limits', customer)).status).toBe(403)
    const [row] =
      await adminSql()`select count(*)::int as changed from private.payment_limits where changed_by = ${customer.id}`
    expect(row?.changed).toBe(0)
  })
})
