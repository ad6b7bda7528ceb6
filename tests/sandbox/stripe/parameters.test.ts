import { describe, expect, it } from 'vitest'
import { API_VERSION } from '../../../sandbox/stripe/config.ts'
import { decodeForm } from '../../../sandbox/stripe/http/form.ts'
import { asSecret, errorOf, localStripe, send, stripeClient } from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

describe('errors', () => {
  it('stripe.R1 every error has type and message under error, and a Request-Id header', async () => {
    const answer = await send(url, '/v1/customers/cus_none', { method: 'GET', headers: asSecret })

    expect(answer.body).toEqual({
      error: {
        type: 'invalid_request_error',
        code: 'resource_missing',
        doc_url: expect.stringContaining('resource-missing'),
        message: "No such customer: 'cus_none'",
        param: 'id',
      },
    })
    expect(answer.headers.get('request-id')).toMatch(/^req_\w{14}$/)
    expect(answer.headers.get('stripe-version')).toBe(API_VERSION)
  })

  it('stripe.R5 an unknown object is 404 in the address and 400 in a parameter', async () => {
    const inPath = await errorOf(stripe.paymentIntents.retrieve('pi_none'))
    const inParam = await errorOf(
      stripe.paymentIntents.create({ amount: 500, currency: 'usd', customer: 'cus_none' }),
    )

    expect(inPath).toMatchObject({ statusCode: 404, code: 'resource_missing' })
    expect(inPath.message).toBe("No such payment_intent: 'pi_none'")
    expect(inParam).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'customer' })
  })

  it('stripe.R6 an unknown parameter is refused by name, nested ones too', async () => {
    const flat = await send(url, '/v1/customers', { body: 'nmae=Ada', headers: asSecret })
    const nested = await send(url, '/v1/customers', { body: 'address[strasse]=x', headers: asSecret })

    expect(flat).toMatchObject({
      status: 400,
      body: {
        error: { code: 'parameter_unknown', param: 'nmae', message: 'Received unknown parameter: nmae' },
      },
    })
    expect(nested.body).toMatchObject({ error: { code: 'parameter_unknown', param: 'address[strasse]' } })
  })

  it('stripe.R6 a missing parameter is named', async () => {
    const answer = await send(url, '/v1/payment_intents', { body: 'currency=usd', headers: asSecret })

    expect(answer).toMatchObject({
      status: 400,
      body: {
        error: { code: 'parameter_missing', param: 'amount', message: 'Missing required param: amount.' },
      },
    })
  })

  it.each([
    ['/v1/payment_intents', 'amount=500&currency=usd'],
    ['/v1/setup_intents', ''],
    ['/v1/checkout/sessions', 'mode=setup&currency=usd&success_url=http://localhost:3000/'],
  ])('stripe.V1 %s does not take payment_method_types in this API version', async (path, rest) => {
    const body = `${rest}&payment_method_types[0]=card`

    const answer = await send(url, path, { body, headers: asSecret })

    expect(answer.body).toMatchObject({ error: { code: 'parameter_unknown', param: 'payment_method_types' } })
  })

  it('a parameter that Stripe has and the stand-in has not says so', async () => {
    const error = await errorOf(
      stripe.paymentIntents.create({ amount: 500, currency: 'usd', on_behalf_of: 'acct_1' }),
    )

    expect(error.statusCode).toBe(400)
    expect(error.message).toContain('local stand-in: parameter on_behalf_of is not supported')
  })

  it.each([
    ['amount=ten&currency=usd', 'amount'],
    ['amount=10.5&currency=usd', 'amount'],
    ['amount=500&currency=usd&confirm=maybe', 'confirm'],
    ['amount=500&currency=usd&capture_method=later', 'capture_method'],
    ['amount=500&currency=usd&shipping=here', 'shipping'],
    ['amount=500&currency=usd&customer=', 'customer'],
  ])('stripe.R6 the bad value in %s is refused with its parameter', async (body, param) => {
    const answer = await send(url, '/v1/payment_intents', { body, headers: asSecret })

    expect(answer).toMatchObject({ status: 400, body: { error: { type: 'invalid_request_error', param } } })
  })

  it.each([
    ['GET', '/v1/nothing'],
    ['POST', '/v1/payouts'],
    ['DELETE', '/v1/payment_intents/pi_1'],
    ['GET', '/v1/customers/search?query=x'],
    ['POST', '/v2/core/events'],
    ['GET', '/nothing/at/all'],
  ])('stripe.R7 the unknown route %s %s answers 404 in Stripe’s shape', async (method, path) => {
    const answer = await send(url, path, { method, headers: asSecret })

    expect(answer.status).toBe(404)
    expect(answer.body).toMatchObject({
      error: { type: 'invalid_request_error', message: expect.stringContaining('Unrecognized request URL') },
    })
  })

  it('stripe.N1 stripe-node rejects what is answered to an unknown route', async () => {
    const error = await errorOf(stripe.payouts.create({ amount: 100, currency: 'usd' }))

    expect(error.message).toContain('Unrecognized request URL (POST: /v1/payouts)')
  })

  it('stripe.N2 the status chooses the class of the error', async () => {
    const notFound = await errorOf(stripe.customers.retrieve('cus_none'))
    const declined = await errorOf(
      stripe.paymentIntents.create({
        amount: 500,
        currency: 'usd',
        payment_method: 'pm_card_visa_chargeDeclined',
        confirm: true,
      }),
    )

    expect(notFound.type).toBe('StripeInvalidRequestError')
    expect(declined.type).toBe('StripeCardError')
  })

  it('a JSON body is refused instead of being read as an empty form', async () => {
    const headers = { ...asSecret, 'content-type': 'application/json' }

    const answer = await send(url, '/v1/customers', { body: '{"name":"Ada"}', headers })

    expect(answer).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('urlencoded') } },
    })
  })

  it('another API version is refused, as its shapes are not known here', async () => {
    const older = stripeClient(url, { apiVersion: '2020-08-27' as typeof API_VERSION })

    const error = await errorOf(older.customers.list())

    expect(error.message).toContain(API_VERSION)
  })
})

describe('form decoding', () => {
  it('stripe.N8 nested fields, numbered lists and open lists are read', () => {
    const fields = decodeForm('a[b][c]=1&d[0]=x&d[1]=y&e[]=p&e[]=q&f=')

    expect(JSON.parse(JSON.stringify(fields))).toEqual({
      a: { b: { c: '1' } },
      d: { 0: 'x', 1: 'y' },
      e: { 0: 'p', 1: 'q' },
      f: '',
    })
  })

  it('names of Object’s own fields are just names', () => {
    const fields = decodeForm('__proto__[polluted]=1&constructor[x]=2')

    expect(({} as { polluted?: string }).polluted).toBeUndefined()
    expect(Object.keys(fields)).toEqual(['__proto__', 'constructor'])
  })

  it.each(['a=1&a[b]=2', 'a[b]=1&a=2', 'a[b=1', `x${'[y]'.repeat(20)}=1`])('%s is refused', (text) => {
    expect(() => decodeForm(text)).toThrow('could not be decoded')
  })

  it('stripe.N8 null and empty text unset a field', async () => {
    const customer = await stripe.customers.create({ name: 'Ada', description: 'first' })

    const updated = await stripe.customers.update(customer.id, { description: '', address: '' })

    expect(updated).toMatchObject({ name: 'Ada', description: null, address: null })
  })
})
