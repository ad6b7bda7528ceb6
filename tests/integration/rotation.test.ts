import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { type KeyProxy, startKeyProxy } from '../support/key-proxy'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'

const { env } = stack()
const fresh = () => randomUUID().replaceAll('-', '')

type Secrets = { stripe: string; redis: string; webhook: string; cron: string }
const newSecrets = (): Secrets => ({
  stripe: `sk_test_local_${fresh().slice(0, 25)}`,
  redis: fresh(),
  webhook: `whsec_${fresh()}`,
  cron: fresh(),
})

/** A person may start sixty payments a minute, and on a busy machine the drill takes longer than that. */
const PACE_MS = 1_050

describe('rolling every secret under load [S-10]', () => {
  const before = newSecrets()
  const after = newSecrets()
  let stripe: KeyProxy
  let redis: KeyProxy
  let person: Person
  let orderId: string

  beforeAll(async () => {
    stripe = await startKeyProxy(env.STRIPE_API_BASE ?? '', env.STRIPE_SECRET_KEY ?? '')
    redis = await startKeyProxy(env.UPSTASH_REDIS_REST_URL ?? '', env.UPSTASH_REDIS_REST_TOKEN ?? '')
    person = await newPerson()
    orderId = await newOrder(person.id)
  })

  afterAll(async () => {
    await stripe.close()
    await redis.close()
  })

  async function deploy(secrets: Secrets, previous?: Secrets) {
    const port = await freePort()
    const url = `http://localhost:${port}`
    const lines: string[] = []
    const server = startServer(
      port,
      {
        ...env,
        REDIS_TIMEOUT_MS: '3000',
        STRIPE_API_BASE: stripe.url,
        UPSTASH_REDIS_REST_URL: redis.url,
        STRIPE_SECRET_KEY: secrets.stripe,
        UPSTASH_REDIS_REST_TOKEN: secrets.redis,
        STRIPE_WEBHOOK_SECRET: secrets.webhook,
        CRON_SECRET: secrets.cron,
        ...(previous && {
          STRIPE_WEBHOOK_SECRET_PREVIOUS: previous.webhook,
          CRON_SECRET_PREVIOUS: previous.cron,
        }),
      },
      (line) => lines.push(line),
    )
    await waitUntilReady(url, 60_000)
    return { url, stop: server.stop, lines }
  }

  /** Somebody who goes on asking whichever server is in front, and remembers what went wrong. */
  function goOn(ask: () => Promise<Response>) {
    const failures: string[] = []
    let asked = 0
    let stopped = false
    const running = (async () => {
      while (!stopped) {
        const response = await ask()
        asked++
        if (response.status >= 400 && response.status !== 409)
          failures.push(`${response.status} ${await response.text()}`)
        await new Promise((resolve) => setTimeout(resolve, PACE_MS))
      }
    })()
    return {
      failures,
      asked: () => asked,
      /** Until what is under way now has been answered. */
      settled: async (now = asked) => {
        while (asked < now + 2) await new Promise((resolve) => setTimeout(resolve, 10))
      },
      stop: async () => {
        stopped = true
        await running
      },
    }
  }

  it('fails no webhook, no payment, no page and no job', async () => {
    stripe.accept([before.stripe])
    redis.accept([before.redis])
    const first = await deploy(before)
    let front = first.url
    let sent = before
    const key = randomUUID()
    const callers = [
      goOn(() => postEvent(front, eventOf('rotation.drill', { id: 'x' }), { secret: sent.webhook })),
      goOn(() => startPayment(person, orderId, { server: front, key })),
      goOn(() => fetch(`${front}/sign-in`)),
      goOn(() =>
        fetch(`${front}/api/cron/sweep`, {
          method: 'POST',
          headers: { authorization: `Bearer ${sent.cron}` },
        }),
      ),
    ]
    const settled = () => Promise.all(callers.map((caller) => caller.settled()))
    const goLive = async (next: { url: string }, last: { stop(): Promise<void> }) => {
      front = next.url
      await settled()
      await last.stop()
    }

    await settled()
    // Both keys work at the providers; the app has the new ones and still takes the old from those who call it.
    stripe.accept([before.stripe, after.stripe])
    redis.accept([before.redis, after.redis])
    const second = await deploy(after, before)
    await goLive(second, first)
    // Those who call the app move over.
    sent = after
    await settled()
    // The old ones are taken away everywhere.
    const third = await deploy(after)
    await goLive(third, second)
    stripe.accept([after.stripe])
    redis.accept([after.redis])
    await settled()
    const oldWebhook = await postEvent(front, eventOf('rotation.drill', { id: 'x' }), {
      secret: before.webhook,
    })
    const oldCron = await fetch(`${front}/api/cron/sweep`, {
      method: 'POST',
      headers: { authorization: `Bearer ${before.cron}` },
    })
    await Promise.all(callers.map((caller) => caller.stop()))
    await third.stop()

    for (const caller of callers) {
      expect(caller.failures).toEqual([])
      // Twice in each of the five steps.
      expect(caller.asked()).toBeGreaterThanOrEqual(10)
    }
    for (const [proxy, name] of [
      [stripe, 'stripe'],
      [redis, 'redis'],
    ] as const) {
      expect(proxy.counts.refused, name).toBe(0)
      expect(proxy.counts[before[name]], name).toBeGreaterThan(0)
      expect(proxy.counts[after[name]], name).toBeGreaterThan(0)
    }
    expect([first, second, third].flatMap(({ lines }) => lines).join('\n')).not.toContain('redis_away')
    expect(oldWebhook.status).toBe(400)
    expect(oldCron.status).toBe(401)
  }, 180_000)
})
