import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import type { Decision } from '../../../sandbox/stripe/chaos/chaos.ts'
import type { RuleInput } from '../../../sandbox/stripe/chaos/rules.ts'
import {
  admin,
  asSecret,
  errorOf,
  localStripe,
  receiver,
  SECRET_KEY,
  send,
  stripeClient,
} from './support/local-stripe.ts'

const { url, stripe } = await localStripe()
const patient = stripeClient(url, { maxNetworkRetries: 2 })

/** Only these faults from now on. */
async function chaos(...rules: RuleInput[]) {
  const answer = await admin(url, '/chaos', { seed: 'test', rules })
  expect(answer.status).toBe(200)
}

async function log(): Promise<Decision[]> {
  return (await admin(url, '/chaos/log')).body.log as Decision[]
}

/** By chance, as the profiles are, and without their waits. */
const OFTEN_UNWELL: RuleInput[] = [
  { fault: 'before.error500', probability: 0.2 },
  { fault: 'before.rateLimit', probability: 0.2 },
]

const named = async (name: string) => {
  const { data } = await stripe.customers.list({ limit: 100 })
  return data.filter((customer) => customer.name === name)
}

const { StripeAPIError, StripeConnectionError, StripeRateLimitError } = Stripe.errors

describe('before a call is executed', () => {
  it.each([
    ['before.error500', 500, StripeAPIError],
    ['before.error503', 503, StripeAPIError],
    ['before.keyInUse', 409, StripeAPIError],
    ['before.rateLimit', 429, StripeRateLimitError],
  ] as const)(
    '%s answers %d and nothing was done; the same key does it afterwards',
    async (fault, status, type) => {
      await chaos({ fault, method: 'POST', count: 1 })
      const create = () => stripe.customers.create({ name: fault }, { idempotencyKey: `key of ${fault}` })
      const error = await errorOf(create())

      expect(error).toBeInstanceOf(type)
      expect(error.statusCode).toBe(status)
      expect(await named(fault)).toEqual([])
      expect((await create()).name).toBe(fault)
    },
  )

  it('stripe.R13 the rate limit says rate_limit', async () => {
    await chaos({ fault: 'before.rateLimit', count: 1 })

    expect(await errorOf(stripe.customers.list())).toMatchObject({ code: 'rate_limit', statusCode: 429 })
  })

  it.each(['before.error500', 'before.error503', 'before.keyInUse'] as const)(
    'stripe.N4 stripe-node repeats after %s and makes one object',
    async (fault) => {
      await chaos({ fault, method: 'POST', count: 2 })
      const name = `patient ${fault}`
      await patient.customers.create({ name })

      expect(await named(name)).toHaveLength(1)
      expect((await log()).map(({ fired }) => fired)).toEqual([true, true])
    },
  )

  it('stripe.N4 stripe-node does not repeat after 429', async () => {
    await chaos({ fault: 'before.rateLimit', method: 'POST', count: 1 })

    expect(await errorOf(patient.customers.create())).toBeInstanceOf(StripeRateLimitError)
  })

  it('stripe.N3 stripe-node gives up after two repetitions unless told otherwise', async () => {
    await chaos({ fault: 'before.error500' })
    const byDefault = new Stripe(SECRET_KEY, {
      host: '127.0.0.1',
      port: Number(new URL(url).port),
      protocol: 'http',
      telemetry: false,
    })

    expect((await errorOf(byDefault.customers.list())).statusCode).toBe(500)
    expect(await log()).toHaveLength(3)
  })

  it('stripe.N10 an answer that is no JSON is an error after the repetitions', async () => {
    await chaos({ fault: 'before.notJson' })
    const error = await errorOf(patient.customers.list())

    expect(error.message).toContain('Invalid JSON received from the Stripe API')
    expect(await log()).toHaveLength(3)
  })

  it('before.reset does nothing, and stripe-node comes again', async () => {
    await chaos({ fault: 'before.reset', count: 1 })
    await stripe.customers.create({ name: 'after a reset' })

    expect(await named('after a reset')).toHaveLength(1)
  })

  it('before.slow answers later', async () => {
    await chaos({ fault: 'before.slow', ms: 150, count: 1 })
    const began = performance.now()
    await stripe.customers.list()

    expect(performance.now() - began).toBeGreaterThan(140)
  })
})

describe('after a call was executed', () => {
  it('stripe.N5 a reset is repeated with the same key and gives the same object', async () => {
    await chaos({ fault: 'after.reset', method: 'POST', count: 1 })
    const customer = await stripe.customers.create({ name: 'reset' })

    expect((await named('reset')).map(({ id }) => id)).toEqual([customer.id])
    expect((await log()).filter(({ fired }) => fired)).toHaveLength(1)
  })

  it('stripe.N6 a truncated answer is not repeated: the outcome is unknown, and the same key tells it', async () => {
    await chaos({ fault: 'after.truncated', method: 'POST', count: 1 })
    const create = () => patient.customers.create({ name: 'truncated' }, { idempotencyKey: 'truncated' })
    const error = await errorOf(create())
    const done = await named('truncated')

    expect(error).toBeInstanceOf(StripeConnectionError)
    expect(done).toHaveLength(1)
    expect((await create()).id).toBe(done[0]?.id)
  })

  it('a call that never answers was done all the same', async () => {
    await chaos({ fault: 'after.hang', method: 'POST', count: 1 })
    // Not so short that a pause of this process, which is also the server's, ends the call before it was done.
    const hurried = stripeClient(url, { timeout: 1_000 })
    const create = (client: Stripe) =>
      client.customers.create({ name: 'hung' }, { idempotencyKey: 'hung', maxNetworkRetries: 0 })
    const error = await errorOf(create(hurried))

    expect(error).toBeInstanceOf(StripeConnectionError)
    expect((await create(stripe)).id).toBe((await named('hung'))[0]?.id)
  })

  it('stripe.I2 a 500 that hides what was done is saved and given again', async () => {
    await chaos({ fault: 'after.error500', method: 'POST', count: 1 })
    const create = () => patient.customers.create({ name: 'hidden' }, { idempotencyKey: 'hidden' })

    expect(await errorOf(create())).toMatchObject({ statusCode: 500 })
    expect(await errorOf(create())).toMatchObject({ statusCode: 500 })
    expect(await named('hidden')).toHaveLength(1)
  })

  it('the webhook can come before the answer', async () => {
    const hook = await receiver()
    const endpoint = await stripe.webhookEndpoints.create({
      url: hook.url,
      enabled_events: ['customer.created'],
    })
    await chaos({ fault: 'after.webhookFirst', method: 'POST' })
    const { id } = await stripe.customers.create({ name: 'early' })

    expect(hook.received.map(({ body }) => JSON.parse(body).data.object.id)).toEqual([id])
    await stripe.webhookEndpoints.del(endpoint.id)
  })

  it('an endpoint that does not answer holds up the call only so long', async () => {
    const hook = await receiver()
    hook.answer = () => null
    const endpoint = await stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['*'] })
    await chaos({ fault: 'after.webhookFirst', method: 'POST', ms: 100 })

    expect((await stripe.customers.create({ name: 'impatient' })).name).toBe('impatient')
    await stripe.webhookEndpoints.del(endpoint.id)
  })
})

describe('rules', () => {
  it('match by method and address, let some pass, and end', async () => {
    await chaos({ fault: 'before.error500', method: 'GET', path: '/v1/customers/*', skip: 1, count: 1 })
    const { id } = await stripe.customers.create()
    const outcomes = []
    for (let i = 0; i < 3; i++) {
      await stripe.customers.list()
      outcomes.push(
        await stripe.customers.retrieve(id).then(
          () => 'ok',
          () => 'failed',
        ),
      )
    }

    expect(outcomes).toEqual(['ok', 'failed', 'ok'])
  })

  it('the same seed and calls go wrong in the same way; another seed in another', async () => {
    const run = async (seed: string) => {
      await admin(url, '/chaos', { seed, rules: OFTEN_UNWELL })
      for (let i = 0; i < 40; i++) await stripe.customers.list({ limit: 1 }).catch(() => {})
      const decisions = (await log()).map(({ rule, fault, n, fired }) => `${rule} ${fault} ${n} ${fired}`)
      await admin(url, '/chaos', undefined, 'DELETE')
      return decisions
    }
    const [one, same, other] = [await run('a'), await run('a'), await run('b')]

    expect(same).toEqual(one)
    expect(other).not.toEqual(one)
    expect(one?.some((line) => line.endsWith('true'))).toBe(true)
  })

  it('every decision is logged with the seed, on paper as well', async () => {
    const lines: string[] = []
    const local = await localStripe({ log: (line) => lines.push(line) })
    const set = await admin(local.url, '/chaos', { rules: [{ fault: 'before.error500', count: 1 }] })
    await errorOf(local.stripe.customers.list())
    const { body } = await admin(local.url, '/chaos/log')

    expect(body.log).toMatchObject([
      {
        seed: set.body.seed,
        rule: 1,
        fault: 'before.error500',
        n: 1,
        fired: true,
        subject: expect.stringContaining('GET /v1/customers'),
      },
    ])
    expect(lines).toEqual([expect.stringContaining(`before.error500 on GET /v1/customers`)])
    expect(lines[0]).toContain(`seed ${set.body.seed}`)
  })

  it('can be added, read and taken away one by one', async () => {
    await chaos()
    const added = await admin(url, '/chaos/rules', { fault: 'before.error500' })
    expect((await errorOf(stripe.customers.list())).statusCode).toBe(500)
    const state = await admin(url, '/chaos')
    await admin(url, `/chaos/rules/${added.body.id}`, undefined, 'DELETE')

    expect(state.body.rules).toMatchObject([{ id: 1, fault: 'before.error500', matched: 1, fired: 1 }])
    expect((await stripe.customers.list()).object).toBe('list')
    expect((await admin(url, '/chaos/rules/1', undefined, 'DELETE')).status).toBe(400)
  })

  it.each([
    [{ rules: [{ fault: 'before.sneeze' }] }],
    [{ rules: [{ fault: 'webhook.delay', path: '/v1/refunds' }] }],
    [{ rules: [{ fault: 'before.slow', probability: 2 }] }],
    [{ profile: 'tuesday' }],
    [{ volume: 11 }],
  ])('%o are refused', async (body) => {
    expect((await admin(url, '/chaos', body)).status).toBe(400)
  })

  it('the header x-local-chaos asks for one call only', async () => {
    await chaos()
    const ask = (chaos: string) =>
      send(url, '/v1/customers', { body: '', headers: { ...asSecret, 'x-local-chaos': chaos } })

    expect((await ask('before.error503')).status).toBe(503)
    expect((await ask('before.slow;ms=1')).status).toBe(200)
    expect(await ask('after.sneeze')).toMatchObject({
      status: 400,
      body: { error: { param: 'x-local-chaos' } },
    })
    expect((await stripe.customers.list()).object).toBe('list')
  })

  it('a profile can be set from the start', async () => {
    const local = await localStripe({ chaos: { profile: 'lost-webhooks', seed: 'x' } })

    expect((await admin(local.url, '/chaos')).body).toMatchObject({ seed: 'x', profile: 'lost-webhooks' })
  })
})
