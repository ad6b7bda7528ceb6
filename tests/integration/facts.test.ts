import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { effectsOn, openedPayment, PAID_ONCE } from '../support/payment-rows'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'

const { env, serverUrls } = stack()
const [server] = serverUrls as [string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

describe('a fact', () => {
  it('is not called heard while another worker has it, and is true once that one has died (W21)', async () => {
    const payment = await openedPayment()
    const event = eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))
    await adminSql()`
      insert into private.webhook_events (livemode, event_id, type, stripe_created_at, payload_hash, source)
      values (false, ${event.id}, ${event.type as string}, now(), 'hash', 'webhook')`
    const worker = await adminSql().reserve()
    await worker`begin`
    await worker`select from private.webhook_events where event_id = ${event.id} for update`

    const meanwhile = await postEvent(server, event, { secret })
    await worker`rollback`
    worker.release()
    const afterwards = await postEvent(server, event, { secret })

    expect(meanwhile.status).toBe(503)
    expect(afterwards.status).toBe(200)
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })

  it('about an amount beyond 32 bits is kept to the last unit', async () => {
    const intentId = `pi_${randomUUID().replaceAll('-', '')}`
    const amount = { amount: 3_000_000_001, amount_received: 3_000_000_001, currency: 'idr' }
    const intent = { id: intentId, object: 'payment_intent', status: 'succeeded', metadata: {}, ...amount }
    const event = eventOf('payment_intent.succeeded', { ...intent, latest_charge: `ch_${intentId}` })

    await postEvent(server, event, { secret })

    const [row] = await adminSql()`
      select p.amount_received_minor::text as received, (select status from private.webhook_events where event_id = ${event.id}) as heard,
        (select sum(amount_minor)::text from private.ledger_entries e join private.ledger_transactions t on t.id = e.transaction_id
          where t.payment_id = p.id and account = 'sales') as sold
      from (select ${intentId} as id) i left join public.payments p on p.stripe_payment_intent_id = i.id`
    expect(row).toEqual({ received: '3000000001', heard: 'processed', sold: '-3000000001' })
  })

  it.each([
    ['a refund', 'refund', 'pending', 'succeeded', 'refunds'],
    ['a dispute', 'dispute', 'needs_response', 'under_review', 'disputes'],
  ])(
    'about %s is not taken back by an answer that was fetched before it (W14)',
    async (_what, object, first, then, table) => {
      const payment = await openedPayment()
      await postEvent(server, eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded')), { secret })
      const id = `${object}_${randomUUID().replaceAll('-', '')}`
      const said = async (status: string, expectedVersion: number) => {
        const { outcome } = await callService<{ outcome: string }>('apply_snapshot', {
          p_livemode: false,
          p_object: { object, id, status, ...REST, payment_intent: payment.intentId },
          p_expected_version: expectedVersion,
          p_event_id: null,
          p_source: 'sync',
        })
        return outcome
      }
      await said(first, 0)
      await said(then, 1)
      const again = await said(then, 2)

      const late = [await said(first, 0), await said(first, 1), await said(first, 2)]

      expect(again).toBe('applied')
      expect(late).toEqual(['stale', 'stale', 'stale'])
      const rows = await adminSql()`
      select status from ${adminSql()(`public.${table}`)} where payment_id = ${payment.paymentId}`
      expect(rows).toEqual([{ status: then }])
    },
  )

  it('about a subscription that goes on is not taken back by an older answer, where the newer one changed nothing (W14)', async () => {
    const id = `sub_${randomUUID().replaceAll('-', '')}`
    const said = async (cancelAt: number | null, expectedVersion: number) => {
      const { outcome } = await callService<{ outcome: string }>('apply_snapshot', {
        p_livemode: false,
        p_object: {
          object: 'subscription',
          id,
          status: 'active',
          created: 1_700_000_000,
          cancel_at: cancelAt,
        },
        p_expected_version: expectedVersion,
        p_event_id: null,
        p_source: 'sync',
      })
      return outcome
    }
    await said(null, 0)
    const [kept] =
      await adminSql()`select version::int from public.subscriptions where stripe_subscription_id = ${id}`

    // Two have read the version. One asked while it was ending, the other after it was resumed, and is quicker.
    const newer = await said(null, kept?.version)
    const older = await said(1_900_000_000, kept?.version)

    expect([newer, older]).toEqual(['applied', 'stale'])
    const [row] =
      await adminSql()`select cancel_at from public.subscriptions where stripe_subscription_id = ${id}`
    expect(row).toEqual({ cancel_at: null })
  })
})

/** What both have besides. */
const REST = {
  amount: 400,
  currency: 'eur',
  metadata: {},
  reason: 'general',
  due_by: null,
  balance_transactions: [],
}
