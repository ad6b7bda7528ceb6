import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Stripe } from '@/lib/stripe/server'
import { allHandled } from '../support/all-handled'
import { adminSql } from '../support/db'
import { ledgerOf, newStaff, type Paid, paid, until } from '../support/paid'
import type { Person } from '../support/people'
import { refund, sweep, untilAnswered } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'

const { env, serverUrls } = stack()
const [serverUrl = ''] = serverUrls

const asked = (amountMinor?: number) => ({
  reason: 'requested_by_customer',
  ...(amountMinor && { amountMinor }),
})

const refundsOf = (paymentId: string) =>
  adminSql()`select status, amount_minor::int as amount, request_id is not null as ours from public.refunds
    where payment_id = ${paymentId} order by created_at, id`
const refundedSum = async (paymentId: string) => {
  const [row] =
    await adminSql()`select amount_refunded_minor::int as sum from public.payments where id = ${paymentId}`
  return row?.sum
}

describe('refunds', () => {
  let support: Person

  beforeAll(async () => {
    support = await newStaff('support')
  })

  it('gives everything back, and the ledger says where it went', async () => {
    const { paymentId, intentId } = await paid()

    const response = await refund(support, paymentId, asked())

    expect(response.status).toBe(201)
    expect(await response.json()).toMatchObject({
      refund: { amountMinor: 2400, currency: 'eur', status: 'made' },
    })
    expect(await refundsOf(paymentId)).toEqual([{ status: 'succeeded', amount: 2400, ours: true }])
    expect((await stripeSdk().refunds.list({ payment_intent: intentId })).data).toHaveLength(1)
    await until(async () => (await ledgerOf(paymentId)).stripe_clearing_eur === 0)
    expect(await ledgerOf(paymentId)).toMatchObject({
      sales_eur: -2400,
      refunds_eur: 2400,
      stripe_clearing_eur: 0,
    })
    expect(await refundedSum(paymentId)).toBe(2400)
  })

  it('gives a part back, and then no more than is left', async () => {
    const { paymentId } = await paid()

    const answers = [
      await refund(support, paymentId, asked(1000)),
      await refund(support, paymentId, asked(1401)),
      await refund(support, paymentId, asked(1400)),
      await refund(support, paymentId, asked()),
    ]

    expect(answers.map((answer) => answer.status)).toEqual([201, 422, 201, 422])
    expect(await refundedSum(paymentId)).toBe(2400)
  })

  it('never adds up to more than was paid, however many ask at once (I10)', async () => {
    const { paymentId, intentId } = await paid()

    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        untilAnswered((key) => refund(support, paymentId, asked(100), { key })),
      ),
    )

    const accepted = answers.filter((answer) => answer.status === 201).length
    expect(accepted).toBe(24)
    expect(answers.filter((answer) => answer.status !== 201 && answer.status !== 422)).toEqual([])
    await until(async () => (await refundedSum(paymentId)) === 2400)
    expect((await stripeSdk().refunds.list({ payment_intent: intentId, limit: 100 })).data).toHaveLength(
      accepted,
    )
  })

  it('makes one refund of a key, and refuses the key with other input', async () => {
    const { paymentId } = await paid()
    const key = randomUUID()

    const answers = await Promise.all(
      Array.from({ length: 5 }, () => untilAnswered(() => refund(support, paymentId, asked(500), { key }))),
    )
    const other = await refund(support, paymentId, asked(600), { key })

    expect(answers.map((answer) => answer.status)).toEqual(Array(5).fill(201))
    expect(other.status).toBe(422)
    expect(await refundsOf(paymentId)).toHaveLength(1)
  })

  it('is for support and admin alone', async () => {
    const { paymentId, person } = await paid()
    const auditor = await newStaff('auditor')

    for (const asker of [person, auditor]) expect((await refund(asker, paymentId, asked())).status).toBe(403)
    expect(await refundsOf(paymentId)).toEqual([])
  })

  it('records a refund made in the dashboard as one of Stripe, once', async () => {
    const { paymentId, intentId } = await paid()

    await stripeSdk().refunds.create({ payment_intent: intentId, amount: 700 })

    await until(async () => (await refundedSum(paymentId)) === 700)
    expect(await refundsOf(paymentId)).toEqual([{ status: 'succeeded', amount: 700, ours: false }])
    expect((await refund(support, paymentId, asked(1701))).status).toBe(422)
  })

  it('waits for a pending refund to succeed', async () => {
    const { paymentId } = await paid({ card: 'pm_card_pendingRefund' })

    await refund(support, paymentId, asked())

    await until(async () => (await refundsOf(paymentId))[0]?.status === 'succeeded')
    expect(await refundedSum(paymentId)).toBe(2400)
  })

  it('takes a refund back that fails later, in the books as well', async () => {
    const { paymentId } = await paid({ card: 'pm_card_refundFail' })

    await refund(support, paymentId, asked())

    await until(async () => (await refundsOf(paymentId))[0]?.status === 'failed')
    expect(await refundedSum(paymentId)).toBe(0)
    await until(async () => (await ledgerOf(paymentId)).stripe_clearing_eur === 0)
    expect(await ledgerOf(paymentId)).toMatchObject({ refunds_eur: 0, sales_eur: -2400 })
  })

  describe('of the second payment of an order', () => {
    const payAgain = async (
      { orderId, intentId }: Paid,
      more: Partial<Stripe.PaymentIntentCreateParams> = {},
    ) => {
      const { customer } = await stripeSdk().paymentIntents.retrieve(intentId)
      return await stripeSdk().paymentIntents.create({
        amount: 2400,
        currency: 'eur',
        customer: String(customer),
        metadata: { order_id: orderId },
        payment_method: 'pm_card_visa',
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        ...more,
      })
    }
    const rowOf = async ({ id }: Stripe.PaymentIntent) => {
      const [row] =
        await adminSql()`select status, review_reason from public.payments where stripe_payment_intent_id = ${id}`
      return row
    }
    const isRefused = async (second: Stripe.PaymentIntent) =>
      (await rowOf(second))?.review_reason === 'order_already_paid'
    const sweepRefunds = async () => {
      await adminSql()`update private.refund_requests set checked_at = now() - interval '1 minute' where requested_by is null`
      await sweep()
    }

    it('gives all of it back by itself', async () => {
      const bought = await paid()
      const second = await payAgain(bought)
      await until(() => isRefused(second))

      await sweepRefunds()

      expect((await stripeSdk().refunds.list({ payment_intent: second.id })).data).toMatchObject([
        { amount: 2400 },
      ])
      const [order] = await adminSql()`select status from public.orders where id = ${bought.orderId}`
      expect(order?.status).toBe('paid')
    })

    it('gives back what the dashboard has left of it, though the refund was told of first', async () => {
      const second = await payAgain(await paid(), { capture_method: 'manual' })
      await until(async () => (await rowOf(second))?.status === 'requires_capture')
      // Another event of it that is still being handled would have us look, and hear of the money before the refund.
      await allHandled(String(second.customer))
      const given = await withoutWebhooks(async () => {
        await stripeSdk().paymentIntents.capture(second.id)
        return await stripeSdk().refunds.create({ payment_intent: second.id, amount: 700 })
      })
      const tell = (type: string, object: object) =>
        postEvent(serverUrl, eventOf(type, { ...object }), { secret: env.STRIPE_WEBHOOK_SECRET ?? '' })

      await tell('refund.created', given)
      await tell('payment_intent.succeeded', await stripeSdk().paymentIntents.retrieve(second.id))

      expect(await isRefused(second)).toBe(true)
      await sweepRefunds()
      const { data } = await stripeSdk().refunds.list({ payment_intent: second.id })
      expect(data.map(({ amount }) => amount)).toEqual([1700, 700])
    })
  })
})

describe('disputes', () => {
  const disputeOf = async (paymentId: string) => {
    const [row] = await adminSql()`
      select status, stripe_dispute_id as id, due_by is not null as due from public.disputes where payment_id = ${paymentId}`
    return row
  }

  it('takes the money out of the books while a bank has it, and puts it back when the dispute is won', async () => {
    const { paymentId } = await paid({ card: 'pm_card_createDispute' })
    await until(async () => (await disputeOf(paymentId))?.status === 'needs_response')
    expect(await disputeOf(paymentId)).toMatchObject({ due: true })
    await until(async () => (await ledgerOf(paymentId)).disputes_eur === 2400)
    expect((await refund(await newStaff('admin'), paymentId, asked())).status).toBe(409)

    await stripeSdk().disputes.update(String((await disputeOf(paymentId))?.id), {
      evidence: { uncategorized_text: 'winning_evidence' },
      submit: true,
    })

    await until(async () => (await disputeOf(paymentId))?.status === 'won')
    await until(async () => (await ledgerOf(paymentId)).disputes_eur === 0)
    expect(await ledgerOf(paymentId)).toMatchObject({ sales_eur: -2400, stripe_clearing_eur: 0 })
  })

  it('keeps the money out of the books when the dispute is lost', async () => {
    const { paymentId } = await paid({ card: 'pm_card_createDispute' })
    await until(async () => (await disputeOf(paymentId))?.status === 'needs_response')

    await stripeSdk().disputes.update(String((await disputeOf(paymentId))?.id), {
      evidence: { uncategorized_text: 'losing_evidence' },
      submit: true,
    })

    await until(async () => (await disputeOf(paymentId))?.status === 'lost')
    expect(await ledgerOf(paymentId)).toMatchObject({ disputes_eur: 2400 })
    const alerts =
      await adminSql()`select kind from private.alerts where detail ->> 'payment_id' = ${paymentId}`
    expect(alerts.map((alert) => alert.kind)).toEqual(['dispute_opened'])
  })

  it('moves no money for an inquiry', async () => {
    const { paymentId } = await paid({ card: 'pm_card_createDisputeInquiry' })

    await until(async () => (await disputeOf(paymentId))?.status === 'warning_needs_response')

    expect((await ledgerOf(paymentId)).disputes_eur).toBeUndefined()
  })
})
