import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from '../../scripts/processes'
import { adminSql } from '../support/db'
import { started } from '../support/limits'
import { manyOpenedPayments } from '../support/many-payments'
import {
  effectsOn,
  newOrder,
  type OpenedPayment,
  openedPayment,
  PAID_ONCE,
  setOpenPaymentsAside,
} from '../support/payment-rows'
import { newPerson } from '../support/people'
import { type ProxiedServer, startProxiedServer } from '../support/proxied-server'
import { startPayment, sweep } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent, signatureOf } from '../support/stripe-events'
import { withoutWebhooks } from '../support/webhooks-off'

const { env, serverUrls } = stack()
const [punctual] = serverUrls as [string]
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const skewed = (ms: number) =>
  startProxiedServer(undefined, undefined, {
    NODE_OPTIONS: `--import ${pathToFileURL(path.join(root, 'tests', 'support', 'skewed-clock.mjs')).href}`,
    CLOCK_SKEW_MS: String(ms),
    REDIS_TIMEOUT_MS: '3000',
  })

/** Servers whose clocks are wrong beside one whose clock is right. What has to be right is the database's, and Stripe's. */
describe('clocks that are off', () => {
  let fast: ProxiedServer
  let slow: ProxiedServer
  let tomorrow: ProxiedServer
  let yesterday: ProxiedServer
  beforeAll(async () => {
    ;[fast, slow, tomorrow, yesterday] = await Promise.all([
      skewed(4 * MINUTE_MS),
      skewed(-4 * MINUTE_MS),
      skewed(DAY_MS + 2 * 60 * MINUTE_MS),
      skewed(-DAY_MS - 2 * 60 * MINUTE_MS),
    ])
  })
  afterAll(() => Promise.all([fast, slow, tomorrow, yesterday].map((server) => server?.stop())))

  const succeeded = (payment: OpenedPayment) =>
    eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))

  it('by four minutes take every event that Stripe signs now, and the tolerance shifts by as much (C11)', async () => {
    const send = async (server: ProxiedServer, ageSeconds: number) => {
      const text = JSON.stringify(eventOf('x.y', { object: 'x' }))
      const signature = signatureOf(text, secret, Math.floor(Date.now() / 1000) - ageSeconds)
      return (await postEvent(server.url, text, { secret, signature })).status
    }

    const statuses = [
      [await send(fast, 0), await send(fast, 50), await send(fast, 70)],
      [await send(slow, 0), await send(slow, 530), await send(slow, 550)],
    ]

    expect(statuses).toEqual([
      [200, 200, 400],
      [200, 200, 400],
    ])
  })

  it('by four minutes apply each event once between them (C11)', async () => {
    const payments = await manyOpenedPayments(10)
    const events = payments.map(succeeded)

    const answers = await Promise.all(
      events.flatMap((event) =>
        [fast.url, slow.url, punctual].map((server) => postEvent(server, event, { secret })),
      ),
    )

    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    for (const payment of payments) expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })

  it('by four minutes hold the limit of new payments in common (C11)', async () => {
    const eager = await newPerson()
    const servers = [fast.url, slow.url, punctual]
    const answers: Response[] = []
    for (let n = 0; n < 14; n++)
      answers.push(await startPayment(eager, await newOrder(eager.id), { server: servers[n % 3] }))

    const refused = answers.slice(10)
    expect(answers.slice(0, 10).map(({ status }) => status)).toEqual(Array(10).fill(201))
    expect(refused.map(({ status }) => status)).toEqual(Array(4).fill(429))
    for (const answer of refused) expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(60)
  })

  it('by a day neither mistrust a new idempotency key nor trust one that is a day old (C11)', async () => {
    const person = await newPerson()
    /** As after a crash before the link, seen by the sweeper of a server. */
    const finishedBy = async (server: ProxiedServer, attemptAge: string) => {
      const { paymentId, intentId } = await withoutWebhooks(() => started(person))
      await setOpenPaymentsAside()
      await adminSql()`update public.payments set stripe_payment_intent_id = null, status = 'unknown',
        attempted_at = now() - ${attemptAge}::interval, checked_at = now() - interval '1 day' where id = ${paymentId}`
      const before = server.stripe.requests.length
      expect((await sweep(server.url)).status).toBe(200)
      const [row] = await adminSql()`
        select attempt, stripe_payment_intent_id as intent from public.payments where id = ${paymentId}`
      expect(row).toEqual({ attempt: 1, intent: intentId })
      const key = `payment:${paymentId}:1`
      return server.stripe.requests.slice(before).some(({ idempotencyKey }) => idempotencyKey === key)
    }

    const usesKey = [
      [await finishedBy(tomorrow, '1 minute'), await finishedBy(yesterday, '1 minute')],
      [await finishedBy(tomorrow, '25 hours'), await finishedBy(yesterday, '25 hours')],
    ]

    expect(usesKey).toEqual([
      [true, true],
      [false, false],
    ])
  })

  it('by a day do not forget an event (C11)', async () => {
    const payment = await openedPayment()
    const text = JSON.stringify(succeeded(payment))
    const signedAt = (server: string) =>
      signatureOf(
        text,
        secret,
        Math.floor(Date.now() / 1000) + (server === tomorrow.url ? (DAY_MS + 7_200_000) / 1000 : 0),
      )

    const statuses = []
    for (const server of [punctual, tomorrow.url, yesterday.url])
      statuses.push((await postEvent(server, text, { secret, signature: signedAt(server) })).status)

    expect(statuses).toEqual([200, 200, 200])
    expect(await effectsOn(payment)).toMatchObject(PAID_ONCE)
  })
})
