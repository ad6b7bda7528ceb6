import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { columnsHolding } from '../support/database-text'
import { adminSql } from '../support/db'
import { ledgerOf, paid, until } from '../support/paid'
import { type ProxiedServer, startProxiedServer } from '../support/proxied-server'
import { eraseAccount, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { replay, type Voices, voices } from '../support/staff'
import { eventOf, postEvent } from '../support/stripe-events'
import type { Fate } from '../support/stripe-proxy'
import { stripeSdk } from '../support/stripe-sdk'

const secret = stack().env.STRIPE_WEBHOOK_SECRET ?? ''

const REFUSED = { status: 503, body: { error: { type: 'api_error', message: 'Come back later.' } } }
type Trouble = typeof REFUSED | Fate

let away: ProxiedServer
let staff: Voices
/** What becomes of a customer's deletion at Stripe. */
let trouble: Trouble | undefined

beforeAll(async () => {
  const onDeletion: Parameters<typeof startProxiedServer>[0] = (path, _query, { method }) =>
    method === 'DELETE' && path.startsWith('/v1/customers/') ? trouble : undefined
  // A busy machine is no outage of Redis, without which nobody is let go.
  const patient = { REDIS_TIMEOUT_MS: '3000' }
  ;[away, staff] = await Promise.all([startProxiedServer(onDeletion, undefined, patient), voices()])
})
afterAll(() => away?.stop())

const stepsOf = async (customerId: string) => {
  const rows = await adminSql()`
    select action from private.audit_log where subject_id = ${customerId} and action like 'erasure.%' order by id`
  return rows.map(({ action }) => String(action).replace('erasure.', ''))
}

/** What the scheduler does, once the pause between two tries is over. */
async function sweepAgain(customerId: string): Promise<void> {
  await adminSql()`update private.erasures set tried_at = null where customer_id = ${customerId}`
  expect((await sweep(away.url)).status).toBe(200)
}

const deletionsOf = async (stripeCustomer: string) => {
  const { data } = await stripeSdk().events.list({ type: 'customer.deleted', limit: 100 })
  return data.filter((event) => (event.data.object as { id?: string }).id === stripeCustomer).length
}

describe('an account that is deleted while Stripe is away (D8, D10)', () => {
  it.each([
    ['refuses', REFUSED, 0],
    ['does it, and nobody hears of it', 'done, then reset', 1],
  ] as const)(
    'is gone here at once; Stripe %s, and follows once, when it is back',
    async (_how, how, done) => {
      const { person, paymentId, intentId } = await paid()
      const mark = randomUUID().slice(0, 13)
      const [customer] = await adminSql()`
      select c.id, s.stripe_customer_id as stripe from public.customers c
      join private.stripe_customers s on s.customer_id = c.id where c.user_id = ${person.id}`
      const [customerId, stripeCustomer] = [String(customer?.id), String(customer?.stripe)]
      const ledger = await ledgerOf(paymentId)
      const intent = await stripeSdk().paymentIntents.retrieve(intentId, { expand: ['latest_charge'] })
      const charge = intent.latest_charge as unknown as Record<string, unknown>
      const before =
        await adminSql()`select event_id as id from private.webhook_events where object_id in (${intentId}, ${String(charge.id)})`
      trouble = how

      const answer = await eraseAccount(person, { server: away.url })

      expect([answer.status, await answer.json()]).toEqual([200, { erased: true }])
      expect(await columnsHolding([person.email])).toEqual([])
      expect(await stepsOf(customerId)).toEqual(['begun', 'rows_erased'])
      await sweepAgain(customerId)
      expect(await stepsOf(customerId)).toEqual(['begun', 'rows_erased'])
      expect(await deletionsOf(stripeCustomer)).toBe(done)

      // Whatever is told meanwhile, anew or again, brings nothing of them back.
      const late = [
        eventOf('charge.succeeded', { ...charge, billing_details: { name: mark, email: person.email } }),
        eventOf('payment_intent.succeeded', {
          ...intent,
          latest_charge: charge.id,
          receipt_email: person.email,
        }),
        eventOf('customer.updated', {
          object: 'customer',
          id: stripeCustomer,
          email: person.email,
          name: mark,
        }),
        eventOf('setup_intent.setup_failed', {
          object: 'setup_intent',
          id: `seti_${mark}`,
          customer: stripeCustomer,
          latest_attempt: `setatt_${customerId}`,
          last_setup_error: { code: 'card_declined', payment_method: { card: { fingerprint: mark } } },
        }),
      ]
      for (const event of late) expect((await postEvent(away.url, event, { secret })).status).toBe(200)
      for (const { id } of before)
        expect((await replay(staff.support, { eventId: String(id) })).status).toBe(409)

      trouble = undefined
      // Erasures come last in a sweep, and what other tests have left may take its time.
      await until(async () => {
        await sweepAgain(customerId)
        return (await stepsOf(customerId)).includes('finished')
      })
      await sweepAgain(customerId)

      expect(await stepsOf(customerId)).toEqual(['begun', 'rows_erased', 'stripe_deleted', 'finished'])
      await until(async () => (await deletionsOf(stripeCustomer)) === 1)
      expect(await stripeSdk().customers.retrieve(stripeCustomer)).toMatchObject({ deleted: true })
      expect(await columnsHolding([person.email])).toEqual([])
      const [row] = await adminSql()`
      select p.card_last4, p.card_fingerprint_hash, c.user_id, (select count(*)::int from private.payment_attempts a
        where a.customer_id = c.id and coalesce(a.failure_code, a.card_fingerprint_hash) is not null) as told
      from public.payments p join public.customers c on c.id = p.customer_id where p.id = ${paymentId}`
      expect(row).toEqual({ card_last4: null, card_fingerprint_hash: null, user_id: null, told: 0 })
      expect(await ledgerOf(paymentId)).toEqual(ledger)
    },
    120_000,
  )
})
