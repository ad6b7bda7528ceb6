import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { confirm, decisionsOf, limitsAsTheyAre, setLimit, started, statusOf } from '../support/limits'
import { ledgerOf, newStaff, until } from '../support/paid'
import { openedPayment } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { chargeOf, intentOf } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'

let admin: Person
let putBack: () => Promise<void>

beforeAll(async () => {
  putBack = await limitsAsTheyAre()
  admin = await newStaff('admin')
})
afterEach(() => putBack())

describe('the country of the card', () => {
  const verdict = async (country: string | null) => {
    const [row] = await adminSql()`select private.country_verdict(${country}) as verdict`
    return row?.verdict
  }

  it.each([
    [[], [], { US: 'allowed', IE: 'allowed', null: 'allowed' }],
    [
      ['IE'],
      [],
      { US: 'refused', IE: 'allowed', ie: 'allowed', null: 'unknown', '': 'unknown', XXX: 'unknown' },
    ],
    [[], ['US'], { US: 'refused', us: 'refused', IE: 'allowed', null: 'unknown', '1': 'unknown' }],
    [['US', 'IE'], ['US'], { US: 'refused', IE: 'allowed', FR: 'refused', null: 'unknown' }],
  ] satisfies [string[], string[], Record<string, string>][])(
    'decides as the table says with %j allowed and %j denied (F5)',
    async (allowed, denied, table) => {
      await setLimit(admin, 'countries_allowed', { countries: allowed })
      await setLimit(admin, 'countries_denied', { countries: denied })

      const decided = await Promise.all(
        Object.keys(table).map(async (country) => [
          country,
          await verdict(country === 'null' ? null : country),
        ]),
      )

      expect(Object.fromEntries(decided)).toEqual(table)
    },
  )

  it('is not waited for without a rule', async () => {
    const { intentId } = await started(await newPerson())

    expect((await stripeSdk().paymentIntents.retrieve(intentId)).capture_method).not.toBe('manual')
  })

  it('from an allowed country lets the amount be taken, and the books show it once (F5)', async () => {
    await setLimit(admin, 'countries_allowed', { countries: ['US'] })
    const { paymentId, intentId, orderId } = await started(await newPerson())

    expect(await confirm(intentId, 'pm_card_visa')).toBe('requires_capture')

    await until(async () => (await statusOf(paymentId)) === 'succeeded')
    await until(async () => (await ledgerOf(paymentId)).stripe_clearing_eur === 0)
    expect(await ledgerOf(paymentId)).toMatchObject({ sales_eur: -2400 })
    const [order] = await adminSql()`select status from public.orders where id = ${orderId}`
    expect(order?.status).toBe('paid')
    expect(await decisionsOf(paymentId)).toEqual([
      { detail: { decision: 'capture', reason: 'country_allowed', country: 'US' } },
    ])
    expect((await stripeSdk().paymentIntents.retrieve(intentId)).amount_received).toBe(2400)
  })

  it.each([
    ['cf-ipcountry', 'IE'],
    ['x-vercel-ip-country', 'IE'],
    ['x-forwarded-for', '5.134.128.1'],
    ['accept-language', 'en-IE'],
  ])(
    'is not what the header %s says: the amount is let go and nothing is booked (F5)',
    async (header, value) => {
      await setLimit(admin, 'countries_allowed', { countries: ['IE'] })
      const { paymentId, intentId, orderId } = await started(await newPerson(), { [header]: value })

      expect(await confirm(intentId, 'pm_card_visa')).toBe('requires_capture')

      await until(async () => (await statusOf(paymentId)) === 'canceled')
      const intent = await stripeSdk().paymentIntents.retrieve(intentId)
      expect(intent).toMatchObject({ status: 'canceled', amount_received: 0 })
      expect(await decisionsOf(paymentId)).toEqual([
        { detail: { decision: 'cancel', reason: 'country_refused', country: 'US' } },
      ])
      await until(async () => {
        const [row] = await adminSql()`select status from private.webhook_events
        where type = 'refund.created' and payload -> 'object' ->> 'payment_intent' = ${intentId}`
        return row?.status === 'processed'
      })
      expect(await ledgerOf(paymentId)).toEqual({})
      const [row] = await adminSql()`
      select p.amount_refunded_minor::int as refunded, o.status from public.payments p
      join public.orders o on o.id = p.order_id where o.id = ${orderId}`
      expect(row).toEqual({ refunded: 0, status: 'open' })
    },
  )

  it('from abroad is taken where the list has it', async () => {
    await setLimit(admin, 'countries_allowed', { countries: ['IE'] })
    const { paymentId, intentId } = await started(await newPerson())

    await confirm(intentId, 'pm_card_bypassPendingInternational')

    await until(async () => (await statusOf(paymentId)) === 'succeeded')
  })

  it('that nobody knows is refused (F5)', async () => {
    await setLimit(admin, 'countries_denied', { countries: ['US'] })
    const payment = await openedPayment()
    const held = intentOf(payment, 'requires_capture', {
      latest_charge: { ...chargeOf(payment, 'succeeded', { captured: false }), card: { country: null } },
    })

    await callService('apply_snapshot', {
      p_livemode: false,
      p_object: held,
      p_expected_version: 0,
      p_event_id: null,
      p_source: 'sync',
    })

    expect(await decisionsOf(payment.paymentId)).toEqual([
      { detail: { decision: 'cancel', reason: 'country_unknown', country: null } },
    ])
    await adminSql()`update private.payment_decisions set done_at = now() where payment_id = ${payment.paymentId}`
  })
})
