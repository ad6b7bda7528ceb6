import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { confirm, type Started, started, statusOf } from '../support/limits'
import { paid, until } from '../support/paid'
import { effectsOn, newOrder, openedPayment, setOpenPaymentsAside } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { post, startPayment, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'

const { serverUrls, env } = stack()
const [first, second] = serverUrls as [string, string]

const cancel = (person: Person | null, orderId: string, server = first) =>
  post(`/api/orders/${orderId}/cancellation`, person, {}, { server })
const orderStatus = async (orderId: string) => {
  const [row] = await adminSql()`select status from public.orders where id = ${orderId}`
  return String(row?.status)
}
const auditOf = async (orderId: string) => {
  const rows = await adminSql()`
    select action, actor_type from private.audit_log where subject_id = ${orderId} and action <> 'order.created' order by id`
  return rows.map(({ action, actor_type }) => `${actor_type} ${action}`)
}
const atStripe = (intentId: string) => stripeSdk().paymentIntents.retrieve(intentId)
const timeIsOver = (orderId: string) =>
  adminSql()`update public.orders set expires_at = now() - interval '1 second' where id = ${orderId}`
/** The sweeper, as if nobody had tried these decisions yet. */
async function sweepNow(): Promise<void> {
  await adminSql()`update private.payment_decisions set tried_at = null where done_at is null`
  expect((await sweep()).status).toBe(200)
}

let ada: Person
beforeAll(async () => {
  ada = await newPerson()
})
beforeEach(setOpenPaymentsAside)

describe('an order that is cancelled', () => {
  it('closes at once when nothing is in the way, and cannot be paid any more', async () => {
    const orderId = await newOrder(ada.id)

    const answers = [await cancel(ada, orderId), await cancel(ada, orderId, second)]

    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    expect(await answers[0]?.json()).toEqual({ order: { id: orderId, status: 'canceled' } })
    expect(await auditOf(orderId)).toEqual(['customer order.closing', 'system order.canceled'])
    expect((await startPayment(ada, orderId)).status).toBe(409)
  })

  it('has its payment cancelled at Stripe first, and follows', async () => {
    const { orderId, paymentId, intentId } = await started(ada)

    const answer = await cancel(ada, orderId)

    expect(answer.status).toBe(200)
    expect(await atStripe(intentId)).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'requested_by_customer',
    })
    expect([await statusOf(paymentId), await orderStatus(orderId)]).toEqual(['canceled', 'canceled'])
    expect(await auditOf(orderId)).toEqual(['customer order.closing', 'system order.canceled'])
    expect(await confirm(intentId, 'pm_card_visa')).toBe('payment_intent_unexpected_state')
  })

  it('is not anybody else’s to cancel, nor one that is paid', async () => {
    const order = await paid({ person: ada })
    const bob = await newPerson()

    const answers = [
      await cancel(bob, order.orderId),
      await cancel(null, order.orderId),
      await cancel(ada, order.orderId),
    ]

    expect(answers.map(({ status }) => status)).toEqual([404, 401, 409])
    expect(await orderStatus(order.orderId)).toBe('paid')
  })

  it('ends paid or cancelled when its payment races it, and Stripe and we agree', async () => {
    const people = await Promise.all([newPerson(), newPerson()])
    const races = await Promise.all(
      Array.from({ length: 8 }, (_, n) => started(people[n % people.length] ?? ada)),
    )

    await Promise.all(
      races.flatMap(({ orderId, intentId }, n) => {
        const person = people[n % people.length] ?? ada
        const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
        return [
          wait(n * 8).then(() => cancel(person, orderId, n % 2 ? first : second)),
          wait((8 - n) * 8).then(() => confirm(intentId, 'pm_card_visa')),
        ]
      }),
    )
    await until(async () => {
      await sweepNow()
      return (await Promise.all(races.map(({ orderId }) => orderStatus(orderId)))).every((s) => s !== 'open')
    })

    for (const { orderId, paymentId, intentId } of races) {
      const there = (await atStripe(intentId)).status
      expect([there, await statusOf(paymentId), await orderStatus(orderId)]).toEqual(
        there === 'succeeded' ? ['succeeded', 'succeeded', 'paid'] : ['canceled', 'canceled', 'canceled'],
      )
    }
  })

  it('is closed by the sweeper when nobody knows yet whether its payment exists', async () => {
    const orderId = await newOrder(ada.id)
    // Its first event would link the payment again.
    const response = await withoutWebhooks(() => startPayment(ada, orderId))
    const { id: paymentId } = (await response.json()) as Started & { id: string }
    const [row] = await adminSql()`
      update public.payments set status = 'unknown', checked_at = now() - interval '1 minute' where id = ${paymentId}
      returning stripe_payment_intent_id as intent`
    await adminSql()`update public.payments set stripe_payment_intent_id = null where id = ${paymentId}`

    const answer = await cancel(ada, orderId)
    const again = await startPayment(ada, orderId)
    await sweepNow()

    expect(answer.status).toBe(202)
    expect(again.status).toBe(409)
    expect((await atStripe(String(row?.intent))).status).toBe('canceled')
    expect([await statusOf(paymentId), await orderStatus(orderId)]).toEqual(['canceled', 'canceled'])
  })

  it('is paid after all when money comes for it later, and a person is told', async () => {
    const payment = await openedPayment()
    const secret = env.STRIPE_WEBHOOK_SECRET ?? ''
    await adminSql()`update public.orders set closing = 'canceled' where id = ${payment.orderId}`
    await postEvent(first, eventOf('payment_intent.canceled', intentOf(payment, 'canceled')), { secret })
    expect(await orderStatus(payment.orderId)).toBe('canceled')

    await postEvent(second, eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded')), { secret })

    expect(await effectsOn(payment)).toMatchObject({ status: 'succeeded', order_status: 'paid', postings: 1 })
    const alerts =
      await adminSql()`select kind, detail from private.alerts where subject_id = ${payment.paymentId}`
    expect(alerts).toEqual([{ kind: 'impossible_status', detail: { had: 'canceled', said: 'succeeded' } }])
  })
})

describe('an order that expires', () => {
  it('is closed by the sweeper, its payment first', async () => {
    const { orderId, paymentId, intentId } = await started(ada)
    const idle = await newOrder(ada.id)
    await timeIsOver(orderId)
    await timeIsOver(idle)

    await sweepNow()

    expect((await atStripe(intentId)).status).toBe('canceled')
    expect([await statusOf(paymentId), await orderStatus(orderId), await orderStatus(idle)]).toEqual([
      'canceled',
      'expired',
      'expired',
    ])
    expect(await auditOf(orderId)).toEqual(['system order.closing', 'system order.expired'])
  })

  it('is paid when its payment was quicker, though nobody has told us yet', async () => {
    const { orderId, paymentId, intentId } = await started(await newPerson())
    // What Stripe says of its creation may come late, and would have us look.
    await until(async () => {
      const rows =
        await adminSql()`select 1 from private.webhook_events where object_id = ${intentId} and status = 'processed'`
      return rows.length > 0
    })

    await withoutWebhooks(async () => {
      expect(await confirm(intentId, 'pm_card_visa')).toBe('succeeded')
      await timeIsOver(orderId)
      await sweepNow()
    })

    expect([await statusOf(paymentId), await orderStatus(orderId)]).toEqual(['succeeded', 'paid'])
    expect(await auditOf(orderId)).toEqual(['system order.closing', 'stripe order.paid'])
  })

  it('does not close while money that does not fit waits for a person', async () => {
    const payment = await openedPayment()
    const other = intentOf(payment, 'succeeded', { amount_received: 2399 })
    await postEvent(first, eventOf('payment_intent.succeeded', other), {
      secret: env.STRIPE_WEBHOOK_SECRET ?? '',
    })
    await timeIsOver(payment.orderId)

    await sweepNow()

    expect(await effectsOn(payment)).toMatchObject({ order_status: 'open', review_reason: 'amount_differs' })
  })
})
