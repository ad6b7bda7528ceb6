import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import type { Leashed } from '../../scripts/processes'
import { adminSql } from '../support/db'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy'
import { withHoldUps } from '../support/hold-ups'
import { effectsOn, newOrder, openedPayment, PAID_ONCE } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment, sweep } from '../support/requests'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent, signatureOf } from '../support/stripe-events'
import { stripeSdk } from '../support/stripe-sdk'
import { withoutWebhooks } from '../support/webhooks-off'

const { env } = stack()
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''
const PREVIOUS = 'whsec_theoneweusedbefore'

/** A server of its own, whose ways to the database, Stripe and Redis can be cut. */
describe('when a dependency is away', () => {
  let server: Leashed
  let url: string
  let database: FaultProxy
  let stripe: FaultProxy
  let redis: FaultProxy
  let ada: Person

  beforeAll(async () => {
    const target = (address: string) => ({ host: '127.0.0.1', port: Number(new URL(address).port) })
    ;[database, stripe, redis] = await Promise.all([
      startFaultProxy(target(env.DATABASE_URL ?? '')),
      startFaultProxy(target(env.STRIPE_API_BASE ?? '')),
      startFaultProxy(target(env.UPSTASH_REDIS_REST_URL ?? '')),
    ])
    const port = await freePort()
    url = `http://localhost:${port}`
    const databaseUrl = new URL(env.DATABASE_URL ?? '')
    databaseUrl.port = String(database.port)
    server = startServer(port, {
      ...env,
      DATABASE_URL: databaseUrl.href,
      STRIPE_API_BASE: `http://127.0.0.1:${stripe.port}`,
      UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${redis.port}`,
      STRIPE_WEBHOOK_SECRET_PREVIOUS: PREVIOUS,
    })
    await waitUntilReady(url, 60_000)
    ada = await newPerson()
  })
  afterAll(async () => {
    await server?.stop()
    await Promise.all([database, stripe, redis].map((proxy) => proxy?.close()))
  })
  beforeEach(() => {
    for (const proxy of [database, stripe, redis]) proxy.setFault('none')
  })

  const create = (orderId: string, key: string = randomUUID()) =>
    startPayment(ada, orderId, { key, server: url })
  const intentsOf = async (orderId: string) =>
    (await stripeSdk().paymentIntents.list({ limit: 100 })).data.filter(
      (intent) => intent.metadata.order_id === orderId,
    )

  it('accepts the current and the previous webhook secret and no third one (W5)', async () => {
    const statuses = []
    for (const signedWith of [secret, PREVIOUS, 'whsec_athirdone']) {
      const event = eventOf('x.y', { object: 'x' })
      statuses.push((await postEvent(url, event, { secret: signedWith })).status)
      const [row] =
        await adminSql()`select verified_with from private.webhook_events where event_id = ${event.id}`
      statuses.push(row?.verified_with ?? null)
    }

    expect(statuses).toEqual([200, 'current', 200, 'previous', 400, null])
  })

  it('asks the database nothing about a request that is not signed (W1)', async () => {
    const text = JSON.stringify(
      eventOf('payment_intent.succeeded', { object: 'payment_intent', id: 'pi_forged' }),
    )
    const forged = [
      null,
      '',
      'nonsense',
      signatureOf(text, 'whsec_forged'),
      signatureOf(text, secret, 1),
      signatureOf(`${text} `, secret),
    ]
    const before = database.passedOn()

    const statuses = await Promise.all(
      forged.map(async (signature) => (await postEvent(url, text, { secret, signature })).status),
    )

    expect(statuses).toEqual(forged.map(() => 400))
    expect(database.passedOn() - before).toBe(0)
  })

  it.each(['refuse', 'reset', 'hang'] as const)(
    'answers 503 to Stripe when the database does %s, and applies the event when it comes again (W16, C5)',
    async (fault) => {
      const payment = await openedPayment()
      const event = eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))
      database.setFault(fault)
      const asked = Date.now()

      const { result: during, heldUpMs } = await withHoldUps(url, () => postEvent(url, event, { secret }))
      const tookMs = Date.now() - asked - heldUpMs

      expect(during.status).toBe(503)
      expect(Number(during.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(tookMs).toBeLessThan(5_000)
      expect(await during.json()).toMatchObject({ error: { code: 'unavailable' } })
      expect(await effectsOn(payment)).toMatchObject({ status: 'creating' })
      database.setFault('none')
      await expect
        .poll(async () => (await postEvent(url, event, { secret })).status, { timeout: 15_000 })
        .toBe(200)
      expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
    },
  )

  it.each(['23505', '40001', '40P01', '57014', 'XX000'])(
    'answers 503 when applying raises %s, keeps what it can, and applies the event later (W16)',
    async (code) => {
      const payment = await openedPayment()
      const event = eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))
      await adminSql().unsafe(`
      create function private.test_fail_${code.toLowerCase()}() returns trigger language plpgsql as $$
        begin raise exception 'canary in the database' using errcode = '${code}'; end $$;
      grant execute on function private.test_fail_${code.toLowerCase()}() to payments_owner;
      create trigger test_fail before update on public.payments for each row
        when (old.id = '${payment.paymentId}') execute function private.test_fail_${code.toLowerCase()}()`)
      const during = await postEvent(url, event, { secret })
      const text = await during.text()
      const [kept] =
        await adminSql()`select status, attempts, last_error from private.webhook_events where event_id = ${event.id}`
      await adminSql().unsafe(
        `drop trigger test_fail on public.payments; drop function private.test_fail_${code.toLowerCase()}()`,
      )

      expect(during.status).toBe(503)
      expect(Number(during.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(text).not.toContain('canary')
      expect(await effectsOn(payment)).toMatchObject({ status: 'creating', postings: 0 })
      if (['23505', 'XX000'].includes(code))
        expect(kept).toMatchObject({ status: 'pending', attempts: 1, last_error: code })
      expect((await postEvent(url, event, { secret })).status).toBe(200)
      expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
    },
  )

  it('parks an event after eight failures, answers 200 to it from then on, and raises an alert (W17)', async () => {
    const payment = await openedPayment()
    const event = eventOf(
      'payment_intent.succeeded',
      intentOf(payment, 'succeeded', { amount_received: 'poison' }),
    )

    const statuses = []
    for (let attempt = 0; attempt < 9; attempt++)
      statuses.push((await postEvent(url, event, { secret })).status)

    expect(statuses).toEqual([503, 503, 503, 503, 503, 503, 503, 200, 200])
    const [row] =
      await adminSql()`select status, attempts from private.webhook_events where event_id = ${event.id}`
    expect(row).toEqual({ status: 'parked', attempts: 8 })
    const alerts = await adminSql()`select kind from private.alerts where subject_id = ${event.id}`
    expect(alerts.map((alert) => alert.kind)).toEqual(['event_parked'])
  })

  it('never calls a payment failed when Stripe cannot be reached: it is unknown, and the same key finishes it', async () => {
    const orderId = await newOrder(ada.id)
    await create(await newOrder(ada.id))
    const key = randomUUID()
    stripe.setFault('reset')

    const during = await create(orderId, key)

    expect(during.status).toBe(503)
    expect(await during.json()).toMatchObject({ error: { code: 'provider_unavailable' } })
    const [row] = await adminSql()`select status, attempt from public.payments where order_id = ${orderId}`
    expect(row).toEqual({ status: 'unknown', attempt: 1 })
    stripe.setFault('none')
    expect((await create(orderId, key)).status).toBe(201)
    expect(await intentsOf(orderId)).toHaveLength(1)
    const rows = await adminSql()`select status, attempt from public.payments where order_id = ${orderId}`
    expect(rows).toEqual([{ status: 'requires_payment_method', attempt: 1 }])
  })

  it('gives up on a silent Stripe in time, and the sweeper finishes the payment without the customer', async () => {
    const orderId = await newOrder(ada.id)
    stripe.setFault('hang')
    const asked = Date.now()

    const during = await create(orderId)

    expect(during.status).toBe(503)
    expect(Date.now() - asked).toBeLessThan(8_000)
    stripe.setFault('none')
    await adminSql()`update public.payments set checked_at = now() - interval '1 minute' where order_id = ${orderId}`
    expect((await sweep(url)).status).toBe(200)
    expect(await intentsOf(orderId)).toHaveLength(1)
    const [row] = await adminSql()`select status from public.payments where order_id = ${orderId}`
    expect(row?.status).toBe('requires_payment_method')
  })

  it('looks before it creates when the idempotency key is a day old', async () => {
    const orderId = await newOrder(ada.id)
    const key = randomUUID()
    // Its first event would link the payment again.
    const opened = await withoutWebhooks(() => create(orderId, key))
    const { id } = (await opened.json()) as { id: string }
    // As after a crash between Stripe's answer and our link, noticed a day later.
    await adminSql()`
      update public.payments set stripe_payment_intent_id = null, status = 'unknown', attempted_at = now() - interval '25 hours'
      where id = ${id}`

    const later = await create(orderId, key)

    expect(later.status).toBe(201)
    expect(await intentsOf(orderId)).toHaveLength(1)
    const [row] =
      await adminSql()`select attempt, stripe_payment_intent_id as intent from public.payments where id = ${id}`
    expect(row).toEqual({ attempt: 1, intent: (await intentsOf(orderId))[0]?.id })
  })

  it('makes a new attempt when the key is spent and a look-up finds nothing', async () => {
    const orderId = await newOrder(ada.id)
    const key = randomUUID()
    stripe.setFault('reset')
    await create(orderId, key)
    stripe.setFault('none')
    const [opened] = await adminSql()`select id from public.payments where order_id = ${orderId}`
    // Somebody used the key of the first attempt with other parameters.
    await stripeSdk().paymentIntents.create(
      { amount: 999, currency: 'eur' },
      { idempotencyKey: `payment:${opened?.id}:1` },
    )

    const later = await create(orderId, key)

    expect(later.status).toBe(201)
    expect(await intentsOf(orderId)).toHaveLength(1)
    const [row] = await adminSql()`select attempt from public.payments where order_id = ${orderId}`
    expect(row?.attempt).toBe(2)
  })

  it.each(['refuse', 'hang'] as const)(
    'takes payments and webhooks while Redis does %s, and soon stops waiting for it',
    async (fault) => {
      redis.setFault(fault)
      const before = redis.connections()
      const payment = await openedPayment()

      const webhook = await postEvent(
        url,
        eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded')),
        { secret },
      )
      const askedOfRedis = redis.connections() - before
      const paid = await create(await newOrder(ada.id))

      expect(webhook.status).toBe(200)
      expect(askedOfRedis).toBe(0)
      expect(paid.status).toBe(201)
      const health = await (await fetch(`${url}/api/health`)).json()
      expect(['degraded', 'ready']).toContain(health.status)
    },
  )

  it('still limits new payments while Redis is away', async () => {
    const eager = await newPerson()
    redis.setFault('refuse')
    const statuses = []
    for (let n = 0; n < 11; n++) {
      const orderId = await newOrder(eager.id)
      statuses.push((await startPayment(eager, orderId, { server: url })).status)
    }

    expect(statuses).toEqual([...Array(10).fill(201), 429])
  })

  it('refuses the jobs without their secret', async () => {
    for (const authorization of [
      '',
      'Bearer ',
      'Bearer wrong',
      `Basic ${env.CRON_SECRET}`,
      env.CRON_SECRET ?? '',
    ]) {
      const response = await fetch(`${url}/api/cron/sweep`, { method: 'POST', headers: { authorization } })
      expect(response.status, authorization.slice(0, 8)).toBe(401)
    }
  })

  it('applies an event again and again while servers restart with a new secret, losing none (W5)', async () => {
    const port = await freePort()
    const rolling = `http://localhost:${port}`
    const settings = {
      ...env,
      STRIPE_WEBHOOK_SECRET: 'whsec_thenewsecret',
      STRIPE_WEBHOOK_SECRET_PREVIOUS: secret,
    }
    const after = startServer(port, settings)
    await waitUntilReady(rolling, 60_000)
    const payments = await Promise.all(Array.from({ length: 20 }, () => openedPayment()))

    const statuses = await Promise.all(
      payments.map(async (payment, n) => {
        const text = JSON.stringify(eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded')))
        const signature = signatureOf(text, n % 2 ? secret : 'whsec_thenewsecret')
        return (await postEvent(rolling, text, { secret, signature })).status
      }),
    )
    await after.stop()

    expect(statuses).toEqual(Array(20).fill(200))
    for (const payment of payments) expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })
})
