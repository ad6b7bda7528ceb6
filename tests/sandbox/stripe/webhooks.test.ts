import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { DeliveryView } from '../../../sandbox/stripe/admin/deliveries.ts'
import { API_VERSION } from '../../../sandbox/stripe/config.ts'
import { afterFile } from '../support/after-file.ts'
import {
  admin,
  advance,
  errorOf,
  eventually,
  localStripe,
  type Receiver,
  receiver,
} from './support/local-stripe.ts'

const folders: string[] = []
afterFile(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

/** A Stripe of its own with one endpoint for everything. */
async function withEndpoint(config: Parameters<typeof localStripe>[0] = {}) {
  const local = await localStripe(config)
  const hook = await receiver()
  const endpoint = await local.stripe.webhookEndpoints.create({ url: hook.url, enabled_events: ['*'] })
  return { ...local, hook, endpoint, secret: endpoint.secret ?? '' }
}

async function deliveries(url: string): Promise<DeliveryView[]> {
  const { body } = await admin(url, '/deliveries')
  return body.deliveries as DeliveryView[]
}

const arrived = (hook: Receiver, count: number) =>
  eventually(`${count} deliveries`, () => hook.received.length >= count && hook.received.slice())

const settled = (url: string) =>
  eventually('nothing is waiting', async () => {
    const all = await deliveries(url)
    return all.length > 0 && all.every(({ state }) => state !== 'pending') && all
  })

const idOf = ({ body }: { body: string }) => JSON.parse(body).id as string

describe('the signature', () => {
  it('stripe.W1 has t, v1 and v0, and constructEvent takes the delivered bytes', async () => {
    const { stripe, hook, secret } = await withEndpoint()
    const customer = await stripe.customers.create({ name: 'Zoë' })

    const [delivery] = await arrived(hook, 1)
    if (!delivery) throw new Error('nothing arrived')
    const event = stripe.webhooks.constructEvent(delivery.body, hook.signature(delivery), secret)

    expect(hook.signature(delivery)).toMatch(/^t=\d+,v1=[0-9a-f]{64},v0=[0-9a-f]{64}$/)
    expect(event).toMatchObject({
      type: 'customer.created',
      data: { object: { id: customer.id, name: 'Zoë' } },
    })
  })

  it('stripe.W2 is an HMAC with the whole secret over time and body', async () => {
    const { stripe, hook, secret } = await withEndpoint()
    await stripe.customers.create()

    const [delivery] = await arrived(hook, 1)
    if (!delivery) throw new Error('nothing arrived')
    const parts = hook.signature(delivery).split(',')
    const { t, v1 } = Object.fromEntries(parts.map((part) => part.split('=')))

    expect(secret).toMatch(/^whsec_/)
    expect(v1).toBe(createHmac('sha256', secret).update(`${t}.${delivery.body}`).digest('hex'))
  })

  it('stripe.W3 a body that was changed, another secret or an old time is not taken', async () => {
    const { stripe, hook, secret, store } = await withEndpoint()
    store.clock.advance(-400_000)
    await stripe.customers.create()
    const [old] = await arrived(hook, 1)
    store.clock.advance(400_000)
    await stripe.customers.create()
    const fresh = (await arrived(hook, 2))[1]
    if (!old || !fresh) throw new Error('nothing arrived')
    const construct = (delivery: typeof old, body: string, key: string) => () =>
      stripe.webhooks.constructEvent(body, hook.signature(delivery), key)

    expect(construct(fresh, fresh.body, secret)).not.toThrow()
    expect(construct(fresh, fresh.body.replace('customer', 'costumer'), secret)).toThrow('signature')
    expect(construct(fresh, fresh.body, 'whsec_other')).toThrow('signature')
    expect(construct(old, old.body, secret)).toThrow('tolerance')
  })

  it('stripe.W4 each retry has a new time and signature for the same bytes of the same event', async () => {
    const { stripe, hook, secret } = await withEndpoint({ retryDelaysMs: [1500] })
    hook.answer = () => ({ status: hook.received.length === 1 ? 500 : 200 })
    await stripe.customers.create()

    const [first, second] = await arrived(hook, 2)
    if (!first || !second) throw new Error('nothing arrived')

    expect(idOf(second)).toBe(idOf(first))
    expect(second.body).toBe(first.body)
    expect(hook.signature(second)).not.toBe(hook.signature(first))
    expect(() => stripe.webhooks.constructEvent(second.body, hook.signature(second), secret)).not.toThrow()
  })

  it('stripe.W5 while a secret is rolled both sign; a day later only the new one', async () => {
    const { url, stripe, hook, endpoint, secret, store } = await withEndpoint()
    const rolled = await admin(url, `/webhook_endpoints/${endpoint.id}/roll_secret`, {})
    const newSecret = String(rolled.body.secret)
    await stripe.customers.create()
    const [both] = await arrived(hook, 1)
    store.clock.advance(25 * 60 * 60 * 1000)
    await stripe.customers.create()
    const one = (await arrived(hook, 2))[1]
    if (!both || !one) throw new Error('nothing arrived')

    expect(hook.signature(both).match(/v1=/g)).toHaveLength(2)
    for (const key of [secret, newSecret]) {
      expect(() => stripe.webhooks.constructEvent(both.body, hook.signature(both), key)).not.toThrow()
    }
    expect(hook.signature(one).match(/v1=/g)).toHaveLength(1)
    expect(() => stripe.webhooks.constructEvent(one.body, hook.signature(one), secret, 0)).toThrow()
    expect(() => stripe.webhooks.constructEvent(one.body, hook.signature(one), newSecret, 0)).not.toThrow()
  })
})

describe('delivery', () => {
  it.each([200, 201, 204, 299])('stripe.W6 %d is success', async (status) => {
    const { url, stripe, hook } = await withEndpoint()
    hook.answer = () => ({ status })
    await stripe.customers.create()

    const [delivery] = await settled(url)

    expect(delivery).toMatchObject({ state: 'delivered', attempts: [{ status }] })
  })

  it.each([301, 302, 400, 404, 410, 500, 503])('stripe.W6 %d is failure', async (status) => {
    const { url, stripe, hook } = await withEndpoint({ retryDelaysMs: [] })
    hook.answer = () => ({ status, headers: { location: hook.url } })
    await stripe.customers.create()

    const [delivery] = await settled(url)

    expect(delivery).toMatchObject({ state: 'failed', attempts: [{ status }] })
    expect(hook.received).toHaveLength(1)
  })

  it('stripe.W6 no answer in time, or nobody listening, is failure', async () => {
    const { url, stripe, hook } = await withEndpoint({ retryDelaysMs: [], deliveryTimeoutMs: 100 })
    await stripe.webhookEndpoints.create({ url: 'http://127.0.0.1:9/', enabled_events: ['*'] })
    hook.answer = () => null
    await stripe.customers.create()

    const errors = (await settled(url)).map(({ attempts }) => attempts[0]?.error)

    expect(errors.sort()).toEqual([expect.any(String), 'timed out'])
  })

  it('stripe.W7 a failing endpoint is tried again a few times, with growing gaps, and then given up', async () => {
    const { url, stripe, hook } = await withEndpoint({ retryDelaysMs: [60_000, 600_000] })
    hook.answer = () => ({ status: 500 })
    await stripe.customers.create()
    // As Stripe has them in mind: when a try arrives is also up to the machine.
    const gaps: number[] = []
    for (const tries of [1, 2]) {
      const { attempts, nextAttemptAt } = await eventually(`${tries} tries`, async () => {
        const [delivery] = await deliveries(url)
        return delivery?.attempts.length === tries && delivery
      })
      gaps.push((nextAttemptAt ?? 0) - (attempts.at(-1)?.at ?? 0))
      await advance(url, 1_000)
    }

    const [delivery] = await settled(url)

    expect(delivery).toMatchObject({
      state: 'failed',
      attempts: [{ status: 500 }, { status: 500 }, { status: 500 }],
    })
    expect(hook.received).toHaveLength(3)
    const [first = 0, second = 0] = gaps
    expect(second).toBeGreaterThan(first)
  })

  it.each(['disabled', 'deleted'])(
    'stripe.W8 a %s endpoint gets nothing more, retries included',
    async (what) => {
      const { url, stripe, hook, endpoint } = await withEndpoint({ retryDelaysMs: [60_000, 60_000] })
      hook.answer = () => ({ status: 500 })
      await stripe.customers.create()
      await eventually('the first try is over', async () => (await deliveries(url))[0]?.attempts.length === 1)

      if (what === 'disabled') await stripe.webhookEndpoints.update(endpoint.id, { disabled: true })
      else await stripe.webhookEndpoints.del(endpoint.id)
      await stripe.customers.create()
      await advance(url, 120)
      await settled(url)

      expect(hook.received).toHaveLength(1)
      const { data } = await stripe.events.list({ limit: 10 })
      expect(data.map(({ pending_webhooks }) => pending_webhooks)).toEqual([0, 0])
    },
  )

  it('stripe.W9 a slow endpoint does not hold up the call nor another endpoint', async () => {
    const { stripe, hook } = await withEndpoint({ deliveryTimeoutMs: 60_000 })
    hook.answer = () => null
    const quick = await receiver()
    await stripe.webhookEndpoints.create({ url: quick.url, enabled_events: ['*'] })

    for (let i = 0; i < 3; i++) await stripe.customers.create()

    expect(await arrived(quick, 3)).toHaveLength(3)
  })

  it('stripe.W11 the payload is the object as it was, also when it is delivered or read later', async () => {
    const { stripe, hook } = await withEndpoint({ retryDelaysMs: [200] })
    hook.answer = ({ body }) => ({
      status: body.includes('customer.created') && hook.received.length === 1 ? 500 : 200,
    })
    const customer = await stripe.customers.create({ name: 'before' })
    await stripe.customers.update(customer.id, { name: 'after' })

    const all = await arrived(hook, 3)

    const created = all.map(({ body }) => JSON.parse(body)).filter(({ type }) => type === 'customer.created')
    expect(created.map(({ data }) => data.object.name)).toEqual(['before', 'before'])
    const updated = (await stripe.events.list({ type: 'customer.updated' })).data[0]
    expect(updated?.data).toMatchObject({
      object: { name: 'after' },
      previous_attributes: { name: 'before' },
    })
  })

  it('stripe.W12 events carry the API version', async () => {
    const { stripe, hook } = await withEndpoint()
    await stripe.customers.create()

    const [delivery] = await arrived(hook, 1)

    expect(JSON.parse(delivery?.body ?? '{}').api_version).toBe(API_VERSION)
  })

  it('stripe.W13 pending_webhooks counts the endpoints still waiting; request names the call', async () => {
    const { url, stripe, hook } = await withEndpoint()
    const customer = await stripe.customers.create({}, { idempotencyKey: 'w13' })
    const [delivery] = await arrived(hook, 1)
    await settled(url)

    const event = JSON.parse(delivery?.body ?? '{}')
    const [listed] = (await stripe.events.list()).data

    expect(event).toMatchObject({
      pending_webhooks: 1,
      request: { id: customer.lastResponse.requestId, idempotency_key: 'w13' },
      livemode: false,
    })
    expect(listed).toMatchObject({ id: event.id, pending_webhooks: 0 })
  })

  it('stripe.W14 events are listed by type and by whether they were delivered, and can be sent again', async () => {
    const { url, stripe, hook } = await withEndpoint({ retryDelaysMs: [] })
    hook.answer = ({ body }) => ({ status: body.includes('"customer.deleted"') ? 500 : 200 })
    const { id } = await stripe.customers.create()
    await stripe.customers.del(id)
    await settled(url)
    const types = async (params: Parameters<typeof stripe.events.list>[0]) =>
      (await stripe.events.list(params)).data.map(({ type }) => type)

    expect(await types({ delivery_success: false })).toEqual(['customer.deleted'])
    expect(await types({ delivery_success: true })).toEqual(['customer.created'])
    expect(await types({ type: 'customer.*' })).toEqual(['customer.deleted', 'customer.created'])
    expect(await types({ types: ['customer.created', 'charge.succeeded'] })).toEqual(['customer.created'])
    expect((await errorOf(stripe.events.list({ type: 'a', types: ['b'] }))).statusCode).toBe(400)
    const [first] = hook.received
    const event = first ? idOf(first) : ''
    await admin(url, `/events/${event}/resend`, {})
    expect((await arrived(hook, 3)).filter((delivery) => idOf(delivery) === event)).toHaveLength(2)
    expect(await stripe.events.retrieve(event)).toMatchObject({ id: event, object: 'event' })
  })

  it('each event of a call is sent once when nothing goes wrong', async () => {
    const { stripe, hook } = await withEndpoint()
    await stripe.paymentIntents.create({
      amount: 500,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      confirm: true,
    })

    const types = (await arrived(hook, 3)).map(({ body }) => JSON.parse(body).type)

    expect(types.sort()).toEqual(['charge.succeeded', 'payment_intent.created', 'payment_intent.succeeded'])
  })
})

describe('endpoints', () => {
  it('stripe.W15 the secret is told once; the rest can be read, changed and listed', async () => {
    const { stripe, endpoint } = await withEndpoint()

    const read = await stripe.webhookEndpoints.retrieve(endpoint.id)
    const changed = await stripe.webhookEndpoints.update(endpoint.id, {
      description: 'shop',
      enabled_events: ['charge.succeeded'],
    })
    const listed = await stripe.webhookEndpoints.list()

    expect(endpoint.secret).toMatch(/^whsec_\w{32}$/)
    expect(read).not.toHaveProperty('secret')
    expect(changed).toMatchObject({
      description: 'shop',
      enabled_events: ['charge.succeeded'],
      status: 'enabled',
    })
    expect(changed).not.toHaveProperty('secret')
    expect(listed.data).toHaveLength(1)
    expect(listed.data[0]).not.toHaveProperty('secret')
  })

  it('stripe.W15 only the events an endpoint asked for are sent to it', async () => {
    const { stripe } = await withEndpoint()
    const picky = await receiver()
    await stripe.webhookEndpoints.create({ url: picky.url, enabled_events: ['customer.deleted'] })
    const { id } = await stripe.customers.create()
    await stripe.customers.del(id)

    const [only] = await arrived(picky, 1)

    expect(JSON.parse(only?.body ?? '{}').type).toBe('customer.deleted')
    expect(picky.received).toHaveLength(1)
  })

  it('stripe.W15 there are at most 16', async () => {
    const { stripe } = await withEndpoint()
    const more = () => stripe.webhookEndpoints.create({ url: 'https://example.com/', enabled_events: ['*'] })
    for (let i = 0; i < 15; i++) await more()

    expect((await errorOf(more())).statusCode).toBe(400)
  })

  it('an address that is none and an endpoint that is gone are refused', async () => {
    const { stripe, endpoint } = await withEndpoint()
    await stripe.webhookEndpoints.del(endpoint.id)

    const badUrl = await errorOf(stripe.webhookEndpoints.create({ url: 'ftp://x', enabled_events: ['*'] }))
    const gone = await errorOf(stripe.webhookEndpoints.retrieve(endpoint.id))

    expect(badUrl).toMatchObject({ statusCode: 400, param: 'url' })
    expect(gone.statusCode).toBe(404)
  })

  it('an endpoint given at the start exists once with its known secret', async () => {
    const hook = await receiver()
    const { stripe } = await localStripe({ webhook: { url: hook.url, secret: 'whsec_known' } })
    await stripe.customers.create()

    const [delivery] = await arrived(hook, 1)
    if (!delivery) throw new Error('nothing arrived')

    expect(() =>
      stripe.webhooks.constructEvent(delivery.body, hook.signature(delivery), 'whsec_known'),
    ).not.toThrow()
    expect((await stripe.webhookEndpoints.list()).data).toHaveLength(1)
  })

  it('the endpoint of the settings follows them from one start to the next', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'local-stripe-'))
    folders.push(folder)
    const databasePath = join(folder, 'stripe.db')
    const first = await localStripe({
      databasePath,
      webhook: { url: 'http://127.0.0.1:9/a', secret: 'whsec_a' },
    })
    await first.close()

    const { stripe } = await localStripe({
      databasePath,
      webhook: { url: 'http://127.0.0.1:9/b', secret: 'whsec_b' },
    })

    expect((await stripe.webhookEndpoints.list()).data.map(({ url }) => url)).toEqual([
      'http://127.0.0.1:9/b',
    ])
  })
})
