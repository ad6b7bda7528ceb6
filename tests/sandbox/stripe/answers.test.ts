import { describe, expect, it } from 'vitest'
import { asSecret, localStripe, SECRET_KEY, send, stripeClient } from './support/local-stripe.ts'

const { url, stripe } = await localStripe()

const DECLINED =
  'amount=1000&currency=usd&confirm=true&payment_method=pm_card_visa_chargeDeclined&return_url=http://localhost:3000/'

describe('answers as such', () => {
  it.each([
    [200, 'GET', '/v1/customers', undefined, asSecret],
    [400, 'POST', '/v1/customers', 'no_such=1', asSecret],
    [401, 'GET', '/v1/customers', undefined, {}],
    [402, 'POST', '/v1/payment_intents', DECLINED, asSecret],
    [403, 'GET', '/v1/customers', undefined, { ...asSecret, origin: 'https://shop.example' }],
    [404, 'GET', '/v1/customers/cus_none', undefined, asSecret],
  ] as const)(
    'stripe.R2 stripe.N11 %d is told by the status, with an error in the body or none, and no notice for the SDK to print',
    async (status, method, path, body, headers) => {
      const answer = await send(url, path, { method, ...(body ? { body } : {}), headers })

      expect(answer.status).toBe(status)
      expect('error' in answer.body).toBe(status >= 400)
      expect(answer.headers.has('stripe-notice')).toBe(false)
    },
  )

  it('stripe.N12 the SDK is pointed here when it is made; a host for a single request is not taken', async () => {
    const elsewhere = { host: 'api.invalid', port: 1 }

    await expect(stripe.customers.list({ limit: 1 }, elsewhere as object)).resolves.toMatchObject({
      object: 'list',
    })
    await expect(stripeClient(url, elsewhere, SECRET_KEY).customers.list()).rejects.toMatchObject({
      type: 'StripeConnectionError',
    })
  })
})
