import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { adminSql } from '../support/db'
import { withHoldUps } from '../support/hold-ups'
import { whileLocked } from '../support/locked-payments'
import { manyOpenedPayments } from '../support/many-payments'
import { effectsOn, newOrder, type OpenedPayment, openedPayment, PAID_ONCE } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { type ProxiedServer, startProxiedServer } from '../support/proxied-server'
import { startPayment } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { chargeOf, eventOf, intentOf, postEvent } from '../support/stripe-events'

const { env, localSecret } = stack()
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

let server: ProxiedServer
let ada: Person
beforeAll(async () => {
  // As patient as a server is that nobody told.
  server = await startProxiedServer(undefined, undefined, { REDIS_TIMEOUT_MS: '300' })
  ada = await newPerson()
})
afterAll(() => server?.stop())
beforeEach(() => {
  server.database.setFault('none')
  server.redis.setFault('none')
})

const succeeded = (payment: OpenedPayment) =>
  eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))
async function timed(send: () => Promise<Response>): Promise<{ status: number; ms: number }> {
  const asked = performance.now()
  const { status } = await send()
  return { status, ms: Math.round(performance.now() - asked) }
}
const send = (event: { id: string }) => timed(() => postEvent(server.url, event, { secret }))
const pay = async (person = ada) => {
  const orderId = await newOrder(person.id)
  return await timed(() => startPayment(person, orderId, { server: server.url }))
}
/** All at once, and how long the slowest took besides what the machine held it up. */
const sendAll = async (events: { id: string }[]) => {
  const { result: answers, heldUpMs } = await withHoldUps(server.url, () => Promise.all(events.map(send)))
  return {
    statuses: answers.map(({ status }) => status),
    slowestMs: Math.max(...answers.map(({ ms }) => ms)) - heldUpMs,
  }
}
/**
 * Send until all is taken, as Stripe does. When connections come and go, a statement can be handed to one that is just ending,
 * or meet a cancel that was meant for the one before it: that event's answer is 503 once more.
 * @returns how long it took
 */
const sendUntilTaken = async (events: { id: string }[]): Promise<number> => {
  const startedAt = performance.now()
  for (let waiting = events, tries = 0; waiting.length > 0; tries++) {
    expect(tries, `${waiting.length} events are not taken`).toBeLessThan(4)
    const { statuses } = await sendAll(waiting)
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
    waiting = waiting.filter((_event, n) => statuses[n] === 503)
  }
  return performance.now() - startedAt
}
const postingsOf = async (payments: OpenedPayment[]) =>
  (await Promise.all(payments.map((payment) => effectsOn(payment)))).filter(
    (effect) => effect?.postings !== 1 || effect.paid_rows !== 1,
  )

describe('a database that is away', () => {
  it('and silent: 503 within five seconds, never 200; once it is back, all that are sent again are applied (C5)', async () => {
    const payments = await manyOpenedPayments(15)
    const events = payments.map(succeeded)
    server.database.setFault('hang')

    const during = await sendAll(events)
    server.database.setFault('none')
    const backAt = Date.now()
    const waiting = new Set(events)
    while (waiting.size > 0 && Date.now() - backAt < 20_000) {
      for (const event of waiting) if ((await send(event)).status === 200) waiting.delete(event)
    }

    expect(during.statuses).toEqual(events.map(() => 503))
    expect(during.slowestMs).toBeLessThan(5_000)
    expect(waiting.size).toBe(0)
    expect(await postingsOf(payments)).toEqual([])
  })

  it.each(['40001', '40P01'])(
    'a forced %s is tried again by itself, three times in all (C9)',
    async (code) => {
      const attempted = async (failures: number) => {
        const payment = await openedPayment()
        // A sequence is the one thing that a rollback does not undo.
        await adminSql().unsafe(`
        create sequence private.test_tries;
        create function private.test_collide() returns trigger language plpgsql security definer as $$
          begin
            if nextval('private.test_tries') <= ${failures} then
              raise exception 'collision' using errcode = '${code}';
            end if;
            return new;
          end $$;
        create trigger test_collide before update on public.payments for each row
          when (old.id = '${payment.paymentId}') execute function private.test_collide()`)
        try {
          const { status } = await send(succeeded(payment))
          const [tries] = await adminSql()`select last_value::int as n from private.test_tries`
          return { status, tries: tries?.n, effects: await effectsOn(payment) }
        } finally {
          await adminSql().unsafe(`drop trigger test_collide on public.payments; drop function private.test_collide();
          drop sequence private.test_tries`)
        }
      }

      const twice = await attempted(2)
      const always = await attempted(1000)

      // Each further change of the row in the try that works counts on.
      expect(twice).toMatchObject({ status: 200, effects: PAID_ONCE })
      expect(twice.tries).toBeGreaterThanOrEqual(3)
      expect(always).toMatchObject({ status: 503, tries: 3, effects: { status: 'creating', postings: 0 } })
    },
  )
})

describe('connections that run out', () => {
  it('answer 503 in time when the database gives no more, and all is well once it does (C12)', async () => {
    const payments = await manyOpenedPayments(30)
    const events = payments.map(succeeded)
    // Those the server has now are cut, so that it has to ask for new ones.
    await adminSql()`alter role payments_service connection limit 1`
    let during: Awaited<ReturnType<typeof sendAll>>
    try {
      server.database.setFault('reset')
      server.database.setFault('none')
      during = await sendAll(events)
    } finally {
      await adminSql()`alter role payments_service connection limit 60`
    }
    const recoveryMs = await sendUntilTaken(events)

    expect(during.statuses.filter((status) => status !== 503 && status !== 200)).toEqual([])
    expect(during.statuses).toContain(503)
    expect(during.slowestMs).toBeLessThan(5_000)
    expect(recoveryMs).toBeLessThan(10_000)
    expect(await postingsOf(payments)).toEqual([])
  })

  it('are made anew at once when all of them were cut (C12)', async () => {
    // The connections of our servers, in here: they can be asked until none is left that has not noticed.
    vi.resetModules()
    const databaseUrl = new URL(env.DATABASE_URL ?? '')
    databaseUrl.port = String(server.database.port)
    Object.assign(process.env, env, { DATABASE_URL: databaseUrl.href, LOG_LEVEL: 'silent' })
    const { callService, closeDatabase } = await import('@/lib/db/sql')
    const ask = () =>
      callService('health', {}).then(
        () => 'answered',
        () => 'cut',
      )
    const askAll = () => Promise.all(Array.from({ length: 10 }, ask))
    try {
      const before = await askAll()
      server.database.setFault('reset')
      server.database.setFault('none')
      await expect.poll(ask, { timeout: 20_000 }).toBe('answered')

      expect([before, await askAll()]).toEqual([Array(10).fill('answered'), Array(10).fill('answered')])
    } finally {
      await closeDatabase()
    }
  })

  it('answer 503 in time when all of them wait, and all is well soon after (C12)', async () => {
    const stuck = await manyOpenedPayments(12)
    const payments = [...stuck, ...(await manyOpenedPayments(12))]

    const during = await whileLocked(stuck, () => sendAll(payments.map(succeeded)))
    const recoveryMs = await sendUntilTaken(payments.map(succeeded))

    expect(during.statuses.filter((status) => status !== 503 && status !== 200)).toEqual([])
    expect(during.statuses.slice(0, stuck.length)).toEqual(stuck.map(() => 503))
    expect(during.slowestMs).toBeLessThan(5_000)
    expect(recoveryMs).toBeLessThan(10_000)
    expect(await postingsOf(payments)).toEqual([])
  })
})

describe('a Redis in trouble', () => {
  const play = async (mode: string) => {
    const answer = await fetch(`${env.UPSTASH_REDIS_REST_URL}/_local/fault`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${localSecret}` },
      body: JSON.stringify({ mode }),
    })
    expect(answer.status).toBe(200)
  }
  const flush = () =>
    fetch(env.UPSTASH_REDIS_REST_URL ?? '', {
      method: 'POST',
      headers: { authorization: `Bearer ${env.UPSTASH_REDIS_REST_TOKEN}` },
      body: JSON.stringify(['FLUSHALL']),
    })
  const troubles: [string, () => unknown, () => unknown][] = [
    ['refused', () => server.redis.setFault('refuse'), () => server.redis.setFault('none')],
    ['hanging', () => server.redis.setFault('hang'), () => server.redis.setFault('none')],
    ['answering 500', () => play('500'), () => play('none')],
    ['answering with something else', () => play('wrong'), () => play('none')],
    ['flushed', flush, () => {}],
  ]

  it.each(troubles)(
    '(%s): every event is applied once, and Redis is not asked (W11, C3)',
    async (_what, begin, end) => {
      const payments = await manyOpenedPayments(10)
      const facts = payments.map(succeeded)
      const charges = payments.map((payment) => eventOf('charge.succeeded', chargeOf(payment, 'succeeded')))
      await begin()
      const asked = [server.redis.connections(), server.redis.passedOn()]
      try {
        const answers = await Promise.all([...facts, ...facts].map(send))
        answers.push(...(await Promise.all([...charges, ...facts, ...charges].map(send))))

        expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
        expect([server.redis.connections(), server.redis.passedOn()]).toEqual(asked)
        expect(await postingsOf(payments)).toEqual([])
      } finally {
        await end()
      }
    },
  )

  it.each(troubles.slice(0, 4))(
    '(%s): whoever asks it first waits 350 ms at most, and those after it not at all (C3)',
    async (_what, begin, end) => {
      // The client of our servers, in here, where nothing else takes time; with no memory of the last outage.
      vi.resetModules()
      Reflect.deleteProperty(globalThis, Symbol.for('paywright.redis-breaker'))
      Object.assign(process.env, env, {
        UPSTASH_REDIS_REST_URL: `http://127.0.0.1:${server.redis.port}`,
        LOG_LEVEL: 'silent',
      })
      const { withRedis } = await import('@/lib/redis/client')
      /**
       * Measured by a clock of this process: when the machine is busy, it is late as well. It begins when the question is
       * under way: how long this process takes to get that far is not Redis's.
       */
      const askBefore = (ring: () => Promise<string>) => {
        const answer = withRedis(
          (redis) => redis.eval('return 1', [], []),
          () => 'without it',
        )
        return Promise.race([answer, ring()])
      }
      await begin()
      try {
        const first = await askBefore(() => sleep(350, 'too late'))
        const next = [
          await askBefore(() => nextTurn('too late')),
          await askBefore(() => nextTurn('too late')),
        ]

        expect([first, ...next]).toEqual(Array(3).fill('without it'))
      } finally {
        await end()
      }
    },
  )

  it('payments go on, and soon stop waiting for it (C3)', async () => {
    const usual = Math.min(...(await Promise.all([pay(), pay(), pay()])).map(({ ms }) => ms))
    server.redis.setFault('hang')

    const [first, ...next] = [await pay(), await pay(), await pay()]

    expect([first, ...next].map(({ status }) => status)).toEqual([201, 201, 201])
    expect(first.ms).toBeLessThan(usual + 2_000)
    console.info(`usual ${usual} ms; first ${first.ms} ms, then ${next.map(({ ms }) => ms).join(' and ')} ms`)
  })
})
