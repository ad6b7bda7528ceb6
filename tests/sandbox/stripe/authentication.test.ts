import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { startStripe } from '../../../sandbox/stripe/server.ts'
import {
  admin,
  asSecret,
  errorOf,
  localStripe,
  PUBLISHABLE_KEY,
  SECRET_KEY,
  send,
  stripeClient,
} from './support/local-stripe.ts'

const { url, stripe } = await localStripe()
const port = Number(new URL(url).port)

describe('keys', () => {
  it('stripe.R3 no key answers 401 invalid_request_error', async () => {
    const answer = await send(url, '/v1/customers', { method: 'GET' })

    expect(answer.status).toBe(401)
    expect(answer.body).toMatchObject({ error: { type: 'invalid_request_error' } })
  })

  it('stripe.R3 a wrong key answers 401 and is not repeated in full', async () => {
    const wrong = 'sk_test_local_fedcba9876543210'

    const error = await errorOf(stripeClient(url, {}, wrong).customers.list())

    expect(error.statusCode).toBe(401)
    expect(error.type).toBe('StripeAuthenticationError')
    expect(error.message).not.toContain(wrong)
  })

  it('stripe.R3 basic authentication with the key as the user name is taken', async () => {
    const authorization = `Basic ${Buffer.from(`${SECRET_KEY}:`).toString('base64')}`

    const answer = await send(url, '/v1/customers', { method: 'GET', headers: { authorization } })

    expect(answer.status).toBe(200)
  })

  it('stripe.R4 a publishable key on a secret route answers 401 secret_key_required', async () => {
    const error = await errorOf(stripeClient(url, {}, PUBLISHABLE_KEY).customers.list())

    expect(error).toMatchObject({ statusCode: 401, code: 'secret_key_required' })
    expect(error.message).toContain('publishable API key')
  })

  it.each(['sk_live_', 'pk_live_', 'rk_live_'])(
    'a key that begins with %s is refused loudly',
    async (prefix) => {
      const inHeader = await errorOf(stripeClient(url, {}, `${prefix}0123456789`).customers.list())
      const inBody = await send(url, '/v1/payment_intents/pi_x/confirm', { body: `key=${prefix}0123456789` })

      expect(inHeader.message).toContain('LIVE KEY REFUSED')
      expect(inHeader.message).not.toContain(`${prefix}0123456789`)
      expect(inBody).toMatchObject({
        status: 401,
        body: { error: { message: expect.stringContaining('LIVE KEY') } },
      })
    },
  )

  it('a secret key in the body or the address is refused and nothing is done', async () => {
    const before = (await stripe.customers.list({ limit: 100 })).data.length

    const inBody = await send(url, '/v1/customers', { body: `key=${SECRET_KEY}&name=Mallory` })
    const inQuery = await send(url, `/v1/customers?key=${SECRET_KEY}`, { method: 'GET' })

    expect(inBody.status).toBe(401)
    expect(inQuery.status).toBe(401)
    expect((await stripe.customers.list({ limit: 100 })).data).toHaveLength(before)
  })

  it('a server is not started with keys that are not test keys', async () => {
    const config = { port: 0, databasePath: ':memory:', appOrigin: 'http://localhost:3000' }

    await expect(
      startStripe({ ...config, secretKey: 'sk_live_1', publishableKey: PUBLISHABLE_KEY }),
    ).rejects.toThrow('test keys only')
  })
})

describe('other pages', () => {
  it.each(['https://evil.example', 'http://localhost:3000', 'null'])(
    'a request with Origin %s is refused',
    async (origin) => {
      const answer = await send(url, '/v1/customers', {
        body: 'name=Mallory',
        headers: { ...asSecret, origin },
      })

      expect(answer.status).toBe(403)
      expect(answer.body).toMatchObject({ error: { type: 'invalid_request_error' } })
      expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    },
  )

  it("a request with the server's own Origin is answered", async () => {
    const answer = await send(url, '/v1/customers', {
      body: 'name=Frame',
      headers: { ...asSecret, origin: url },
    })

    expect(answer.status).toBe(200)
  })

  it.each(['/v1/customers', '/_local/deliveries', '/', '/endive/stripe.js'])(
    'a request for %s under a foreign host name is refused',
    async (path) => {
      const status = await statusWithHost(path, `evil.example:${port}`)

      expect(status).toBe(403)
    },
  )

  it.each(['', 'Bearer wrong'])(
    'an admin address is refused to who does not know the secret (%s)',
    async (authorization) => {
      const answer = await send(url, '/_local/clock', {
        body: '{"advanceSeconds":60}',
        headers: { authorization },
      })

      expect(answer).toMatchObject({ status: 401, body: { error: { type: 'invalid_request_error' } } })
      expect((await admin(url, '/clock')).body.advancedSeconds).toBe(0)
    },
  )

  it('an admin address is refused to a page of another origin', async () => {
    const answer = await send(url, '/_local/events/evt_1/resend', {
      headers: { origin: 'https://evil.example' },
    })

    expect(answer.status).toBe(403)
  })
})

function statusWithHost(path: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, headers: { ...asSecret, host } }, (response) => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}
