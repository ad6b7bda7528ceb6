import { describe, expect, it } from 'vitest'
import { isFinal, isImpossibleChange, nextStatus, PAYMENT_STATUSES } from '@/lib/payments/status'
import { adminSql, callService } from '../support/db'
import { effectsOn, type OpenedPayment, openedPayment } from '../support/payment-rows'
import { intentOf } from '../support/stripe-events'

const SAID = [...PAYMENT_STATUSES, 'a_status_of_tomorrow']
const CHANGES = PAYMENT_STATUSES.flatMap((now) => SAID.map((said) => ({ now, said })))

describe('the states of a payment', () => {
  it('are the same in the database and in the app, for every state and everything Stripe may say', async () => {
    const rows = await adminSql()`
      select c.now, c.said, private.next_status(c.now, c.said) as next, private.is_impossible_change(c.now, c.said) as impossible
      from unnest(${CHANGES.map(({ now }) => now)}::text[], ${CHANGES.map(({ said }) => said)}::text[]) as c (now, said)`

    expect(rows.map((row) => ({ ...row }))).toEqual(
      CHANGES.map(({ now, said }) => ({
        now,
        said,
        next: nextStatus(now, said),
        impossible: isImpossibleChange(now, said),
      })),
    )
    expect(rows).toHaveLength(90)
  })

  it('are never left once they are final, but for money that comes after a cancel (W14)', () => {
    const left = CHANGES.filter(({ now, said }) => isFinal(now) && nextStatus(now, said) !== now)

    expect(left).toEqual([{ now: 'canceled', said: 'succeeded' }])
    expect(isImpossibleChange('canceled', 'succeeded')).toBe(true)
  })

  it.each([
    ['succeeded', 'processing', 'succeeded'],
    ['succeeded', 'canceled', 'succeeded'],
    ['canceled', 'requires_action', 'canceled'],
    ['canceled', 'succeeded', 'succeeded'],
    ['requires_action', 'a_status_of_tomorrow', 'requires_action'],
  ])('from %s, when Stripe says %s, is %s, and staff are told', async (now, said, next) => {
    const payment = await openedPayment()
    await stripeSays(payment, now)

    await stripeSays(payment, said)

    expect(await effectsOn(payment)).toMatchObject({ status: next })
    const alerts = await adminSql()`
      select detail from private.alerts where kind = 'impossible_status' and subject_id = ${payment.paymentId}`
    expect(alerts).toEqual([{ detail: { had: now, said } }])
  })

  it('from processing to succeeded is nothing to tell anybody', async () => {
    const payment = await openedPayment()
    await stripeSays(payment, 'processing')

    await stripeSays(payment, 'succeeded')

    const alerts = await adminSql()`select 1 from private.alerts where subject_id = ${payment.paymentId}`
    expect(alerts).toEqual([])
  })
})

/** As the result page hears it: the object as it is now, for the row as it is now. */
async function stripeSays(payment: OpenedPayment, status: string): Promise<void> {
  const [row] = await adminSql()`
    select case when stripe_payment_intent_id is null then 0 else version end::int as version
    from public.payments where id = ${payment.paymentId}`
  const applied = await callService('apply_snapshot', {
    p_livemode: false,
    p_object: { ...intentOf(payment, status), latest_charge: null },
    p_expected_version: Number(row?.version),
    p_event_id: null,
    p_source: 'sync',
  })
  expect(applied).toMatchObject({ outcome: 'applied' })
}
