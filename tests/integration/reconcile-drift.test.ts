import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { effectsOf, manyConfirmed, PAID, refundThatEnds } from '../support/confirmed-payments'
import { adminSql } from '../support/db'
import { inOwnStack } from '../support/own-stack'
import { ledgerOf, until } from '../support/paid'
import { openedPayment } from '../support/payment-rows'
import { reconcileNow } from '../support/reconcile-command'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'
import { untilStripeHasToldAll } from '../support/stripe-silence'
import { withoutWebhooks } from '../support/webhooks-off'

// Drift is looked for in all there is.
inOwnStack()

const foundIn = (findings: { kind: string; subject: string }[]) =>
  findings.map(({ kind, subject }) => `${kind} ${subject}`).sort()

describe('drift', () => {
  it('finds every kind and nothing else, repairs what is safe, and ends with 1 for the rest (R3)', async () => {
    const since = new Date(Date.now() - 1000).toISOString()
    const payments = await manyConfirmed(6)
    await until(async () => (await effectsOf(payments)).every(({ postings }) => postings === PAID.postings))
    const [status, amount, refundSum, refundStatus, alsoRefunded, healthy] = payments
    if (!status || !amount || !refundSum || !refundStatus || !alsoRefunded || !healthy)
      throw new Error('six are paid')
    const refunded = await refundThatEnds(refundStatus.intentId, 100)
    await until(async () => (await ledgerOf(refundStatus.paymentId)).refunds_eur === 100)
    const before = await reconcileNow(['--dry-run', '--since', since])
    // A late event would put right what is put wrong here.
    await untilStripeHasToldAll()

    await adminSql()`update public.payments set status = 'processing', version = version + 1 where id = ${status.paymentId}`
    await adminSql()`update public.payments set amount_received_minor = 2399 where id = ${amount.paymentId}`
    await adminSql()`update public.payments set amount_refunded_minor = 7 where id = ${refundSum.paymentId}`
    await adminSql()`update public.refunds set status = 'pending' where stripe_refund_id = ${refunded}`
    const missingThere = await openedPayment()
    await adminSql()`update public.payments set stripe_payment_intent_id = ${missingThere.intentId}, status = 'processing' where id = ${missingThere.paymentId}`
    const inventedId = `txn_${randomUUID()}`
    await adminSql().begin(async (sql) => {
      const [transaction] = await sql`
        insert into private.ledger_transactions (livemode, stripe_object_id, movement, payment_id)
        values (false, ${inventedId}, 'settlement', ${healthy.paymentId}) returning id`
      await sql`insert into private.ledger_entries (transaction_id, account, amount_minor, currency) values
        (${transaction?.id}, 'stripe_balance', 11, 'eur'), (${transaction?.id}, 'fees', -11, 'eur')`
    })
    const pay = (metadata: Record<string, string>) =>
      stripeSdk().paymentIntents.create({
        amount: 1500,
        currency: 'eur',
        metadata,
        payment_method: 'pm_card_visa',
        confirm: true,
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      })
    const orphan = await pay({ payment_id: randomUUID() })
    await until(async () => {
      const [row] = await adminSql()`
        select count(*)::int as n from private.ledger_transactions t join public.payments p on p.id = t.payment_id
        where p.stripe_payment_intent_id = ${orphan.id} and t.movement = 'settlement'`
      return row?.n === 1
    })
    // Only the event that tells of the payment arrives, not the one about its money.
    const { missingHere, missingRefund, half, halfMoney } = await withoutWebhooks(async () => {
      const missingRefund = await refundThatEnds(alsoRefunded.intentId, 50)
      const missingHere = await pay({})
      const half = await pay({})
      await postEvent(stack().serverUrls[0] ?? '', eventOf('payment_intent.succeeded', { ...half }), {
        secret: stack().env.STRIPE_WEBHOOK_SECRET ?? '',
      })
      const settled = async () =>
        (
          await stripeSdk().paymentIntents.retrieve(half.id, {
            expand: ['latest_charge.balance_transaction'],
          })
        ).latest_charge
      let money = ''
      await until(async () => {
        const charge = await settled()
        const transaction = charge && typeof charge === 'object' ? charge.balance_transaction : null
        money = transaction && typeof transaction === 'object' ? transaction.id : ''
        return money !== ''
      })
      await until(async () => {
        const charges = (await stripeSdk().charges.list({ payment_intent: missingHere.id })).data
        return charges[0]?.balance_transaction !== null
      })
      return { missingHere, missingRefund, half, halfMoney: money }
    })
    expect(half.status).toBe('succeeded')

    const safe = [
      `status ${status.intentId}`,
      `amount ${amount.intentId}`,
      `refund_sum ${refundSum.intentId}`,
      `status ${refunded}`,
      `missing_here ${missingHere.id}`,
      `missing_here ${missingRefund}`,
      `ledger ${halfMoney}`,
    ]
    const forPeople = [
      `missing_there ${missingThere.intentId}`,
      `orphan ${orphan.id}`,
      `ledger ${inventedId}`,
    ]
    const dry = await reconcileNow(['--dry-run', '--since', since])
    const repaired = await reconcileNow(['--repair', '--since', since])
    const after = await reconcileNow(['--dry-run', '--since', since])

    expect(before).toMatchObject({ code: 0, outcome: 'clean', findings: [] })
    expect(foundIn(dry.findings)).toEqual([...safe, ...forPeople].sort())
    expect(dry.code).toBe(1)
    expect(foundIn(repaired.findings.filter(({ resolved }) => !resolved))).toEqual(forPeople.sort())
    expect({ code: repaired.code, outcome: repaired.outcome }).toEqual({ code: 1, outcome: 'drift' })
    expect(foundIn(after.findings)).toEqual(forPeople.sort())
    expect(after.totals).toMatchObject([
      { currency: 'eur', differenceMinor: -11, unpostedMinor: 0, differingMinor: 0, notAtStripeMinor: 11 },
    ])
    const alerts =
      await adminSql()`select kind || ' ' || subject_id as line from private.alerts where kind like 'reconcile%'`
    expect(alerts.map(({ line }) => line).sort()).toEqual(forPeople.map((line) => `reconcile_${line}`).sort())
  }, 180_000)
})
