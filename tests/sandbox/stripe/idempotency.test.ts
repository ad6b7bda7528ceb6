import { describe, expect, it } from 'vitest'
import { asSecret, errorOf, localStripe, send, stripeClient } from './support/local-stripe.ts'

/** What happens to the next request before it is executed; set by a test, used once. */
let interruption: (() => Promise<void>) | null = null
const { url, stripe, store } = await localStripe({
  beforeExecution: async () => {
    const now = interruption
    interruption = null
    await now?.()
  },
})

const payment = { amount: 1200, currency: 'usd' } as const
const answerOf = (key: string, body: string) =>
  send(url, '/v1/payment_intents', { body, headers: { ...asSecret, 'idempotency-key': key } })
const keyed = (idempotencyKey: string) => ({ idempotencyKey })

/** The next request stops just before it is executed, until it is released. */
function holdNextRequest() {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const entered = new Promise<void>((resolve) => {
    interruption = () => {
      resolve()
      return released
    }
  })
  return { entered, release: () => release() }
}

describe('idempotency keys', () => {
  it('stripe.I1 a key belongs to POST; a GET with one is a GET', async () => {
    const { id } = await stripe.paymentIntents.create(payment, keyed('i1'))

    const read = await send(url, `/v1/payment_intents/${id}`, {
      method: 'GET',
      headers: { ...asSecret, 'idempotency-key': 'i1' },
    })

    expect(read.status).toBe(200)
    expect(read.headers.get('idempotent-replayed')).toBeNull()
  })

  it('stripe.I1 a key is at most 255 characters long', async () => {
    const fits = await answerOf('k'.repeat(255), 'amount=500&currency=usd')
    const tooLong = await answerOf('k'.repeat(256), 'amount=500&currency=usd')

    expect(fits.status).toBe(200)
    expect(tooLong).toMatchObject({ status: 400, body: { error: { type: 'idempotency_error' } } })
  })

  it('stripe.I1 a key is kept for 24 hours and free afterwards', async () => {
    const first = await stripe.paymentIntents.create(payment, keyed('i1-day'))
    store.clock.advance(23 * 60 * 60 * 1000)
    const replayed = await stripe.paymentIntents.create(payment, keyed('i1-day'))
    store.clock.advance(2 * 60 * 60 * 1000)
    const anew = await stripe.paymentIntents.create(payment, keyed('i1-day'))

    expect(replayed.id).toBe(first.id)
    expect(anew.id).not.toBe(first.id)
  })

  it('stripe.I2 the same key gets the same answer, marked as replayed', async () => {
    const first = await answerOf('i2', 'amount=500&currency=usd')
    const second = await answerOf('i2', 'amount=500&currency=usd')

    expect(second.body).toEqual(first.body)
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(second.headers.get('original-request')).toBe(first.headers.get('request-id'))
    expect(second.headers.get('request-id')).not.toBe(first.headers.get('request-id'))
  })

  it('stripe.I2 a replay is the first answer, not the object as it is now', async () => {
    const first = await stripe.paymentIntents.create(payment, keyed('i2-old'))
    await stripe.paymentIntents.cancel(first.id)

    const replayed = await stripe.paymentIntents.create(payment, keyed('i2-old'))

    expect(replayed.status).toBe('requires_payment_method')
  })

  it('stripe.I2 a decline is saved: repeating it charges nothing again', async () => {
    const params = { ...payment, payment_method: 'pm_card_visa_chargeDeclined', confirm: true } as const
    const first = await errorOf(stripe.paymentIntents.create(params, keyed('i2-decline')))
    const charges = (await stripe.charges.list({ limit: 100 })).data.length

    const second = await errorOf(stripe.paymentIntents.create(params, keyed('i2-decline')))

    expect(second).toMatchObject({ statusCode: 402, charge: first.charge })
    expect((await stripe.charges.list({ limit: 100 })).data).toHaveLength(charges)
  })

  it('stripe.I2 an internal error is saved and given again', async () => {
    interruption = () => Promise.reject(new Error('a fault on purpose'))

    const first = await answerOf('i2-500', 'amount=500&currency=usd')
    const second = await answerOf('i2-500', 'amount=500&currency=usd')

    expect(first).toMatchObject({ status: 500, body: { error: { type: 'api_error' } } })
    expect(second.status).toBe(500)
    expect(second.body).toEqual(first.body)
    expect(second.headers.get('idempotent-replayed')).toBe('true')
  })

  it.each([
    ['other parameters', '/v1/payment_intents', 'amount=501&currency=usd'],
    ['another address', '/v1/customers', ''],
  ])('stripe.I3 a key used for %s is refused with idempotency_error', async (_what, path, body) => {
    const key = `i3-${path}`
    await answerOf(key, 'amount=500&currency=usd')

    const answer = await send(url, path, { body, headers: { ...asSecret, 'idempotency-key': key } })

    expect(answer).toMatchObject({
      status: 400,
      body: { error: { type: 'idempotency_error', message: expect.stringContaining('same parameters') } },
    })
  })

  it('stripe.I3 stripe-node raises StripeIdempotencyError', async () => {
    await stripe.paymentIntents.create(payment, keyed('i3-sdk'))

    const error = await errorOf(stripe.paymentIntents.create({ ...payment, amount: 999 }, keyed('i3-sdk')))

    expect(error.type).toBe('StripeIdempotencyError')
  })

  it('stripe.I4 a key whose first request is still running answers 409, and its answer afterwards', async () => {
    const { entered, release } = holdNextRequest()
    const running = answerOf('i4', 'amount=500&currency=usd')
    await entered

    const meanwhile = await answerOf('i4', 'amount=500&currency=usd')
    release()
    const first = await running
    const afterwards = await answerOf('i4', 'amount=500&currency=usd')

    expect(meanwhile).toMatchObject({ status: 409, body: { error: { code: 'idempotency_key_in_use' } } })
    expect(first.status).toBe(200)
    expect(afterwards.body).toEqual(first.body)
  })

  it('stripe.N4 stripe-node repeats after a 409 and gets the one object', async () => {
    const { entered, release } = holdNextRequest()
    const patient = stripeClient(url, { maxNetworkRetries: 2 })
    const running = stripe.paymentIntents.create(payment, keyed('n4'))
    await entered
    const repeated = patient.paymentIntents.create(payment, keyed('n4'))
    setTimeout(release, 100)

    const [first, second] = await Promise.all([running, repeated])

    expect(second.id).toBe(first.id)
  })

  it.each([
    ['an unknown parameter', 'amount=500&currency=usd&colour=red'],
    ['an amount that is too small', 'amount=1&currency=usd'],
    ['a property that cannot be expanded', 'amount=500&currency=usd&expand[0]=nothing'],
  ])('stripe.I5 after %s the key may be used again', async (what, body) => {
    const refused = await answerOf(`i5-${what}`, body)
    const accepted = await answerOf(`i5-${what}`, 'amount=500&currency=usd')

    expect(refused.status).toBe(400)
    expect(accepted.status).toBe(200)
    expect(accepted.headers.get('idempotent-replayed')).toBeNull()
  })

  it('stripe.I6 parameters in another order are the same request', async () => {
    const first = await answerOf('i6', 'amount=500&currency=usd&metadata[a]=1&metadata[b]=2')
    const second = await answerOf('i6', 'metadata[b]=2&currency=usd&metadata[a]=1&amount=500')

    expect(second.body.id).toBe(first.body.id)
  })

  it('stripe.N7 stripe-node sends a key of its own with each POST', async () => {
    const customer = await stripe.customers.create({ name: 'Ada' })

    const { data } = await stripe.events.list({ type: 'customer.created', limit: 1 })

    expect(data[0]?.data.object).toMatchObject({ id: customer.id })
    expect(data[0]?.request?.idempotency_key).toMatch(/^stripe-node-retry-/)
  })

  it('50 requests with one key at once make one object', async () => {
    const before = (await stripe.paymentIntents.list({ limit: 100 })).data.length

    const answers = await Promise.all(
      Array.from({ length: 50 }, () => answerOf('fifty', 'amount=700&currency=usd')),
    )

    const ids = new Set(answers.filter(({ status }) => status === 200).map(({ body }) => body.id))
    expect(ids.size).toBe(1)
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true)
    expect((await stripe.paymentIntents.list({ limit: 100 })).data).toHaveLength(before + 1)
  })
})
