import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import type { Leashed } from '../../scripts/processes'
import { adminSql } from '../support/db'
import { openedPayment } from '../support/payment-rows'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { eventOf, intentOf, postEvent } from '../support/stripe-events'

const secret = stack().env.STRIPE_WEBHOOK_SECRET as string

describe('behind a proxy that ends https (H5)', () => {
  let server: Leashed
  let inside: string
  let origin: string

  beforeAll(async () => {
    const port = await freePort()
    inside = `http://localhost:${port}`
    origin = `https://localhost:${port}`
    server = startServer(port, { ...stack().env, APP_ORIGIN: origin, TRUSTED_PROXY_HOPS: '1' })
    await waitUntilReady(inside, 60_000)
  })

  afterAll(() => server.stop())

  const ask = (path: string, scheme: string | null, init: RequestInit = {}) =>
    fetch(`${inside}${path}`, {
      redirect: 'manual',
      ...init,
      headers: {
        'x-forwarded-for': '198.51.100.7',
        ...(scheme !== null && { 'x-forwarded-proto': scheme }),
        ...init.headers,
      },
    })

  it.each(['http', 'https, http', 'HTTP', 'ftp', '', null])(
    'a page asked for over %j is sent to the same page over https',
    async (scheme) => {
      const response = await ask('/sign-in?next=%2Fpayments', scheme)

      expect(response.status).toBe(308)
      // Next shortens it where the client itself has claimed https before the proxy wrote what it saw.
      const location = new URL(response.headers.get('location') ?? '', origin)
      expect(location.href).toBe(`${origin}/sign-in?next=%2Fpayments`)
      expect(response.headers.getSetCookie()).toEqual([])
    },
  )

  it('a page asked for over https is shown, with two years of HSTS', async () => {
    const response = await ask('/sign-in', 'https')

    expect(response.status).toBe(200)
    expect(response.headers.get('strict-transport-security')).toBe(
      'max-age=63072000; includeSubDomains; preload',
    )
    expect(response.headers.get('content-security-policy')).toContain('upgrade-insecure-requests')
  })

  it('where the redirect leads is ours to say, whatever host the request names (H13)', async () => {
    const response = await ask('/sign-in', 'http', {
      headers: { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
    })

    expect(response.headers.get('location')).toBe(`${origin}/sign-in`)
  })

  it('an address of the API refuses plain http in place of redirecting it', async () => {
    for (const path of ['/api/payments/history', '/api/payments/create-payment-intent']) {
      const response = await ask(path, 'http', { method: path.endsWith('intent') ? 'POST' : 'GET' })

      expect(response.status, path).toBe(403)
      expect((await response.json()).error.code, path).toBe('https_required')
    }
  })

  it('an event that came over plain http has no effect, and the same over https has it', async () => {
    const payment = await openedPayment()
    const event = eventOf('payment_intent.succeeded', intentOf(payment, 'succeeded'))
    const kept = async () =>
      (await adminSql()`select 1 from private.webhook_events where event_id = ${event.id}`).length

    const plain = await postEvent(inside, event, { secret, headers: { 'x-forwarded-proto': 'http' } })
    expect(plain.status).toBe(403)
    expect(await kept()).toBe(0)

    const secure = await postEvent(inside, event, { secret, headers: { 'x-forwarded-proto': 'https' } })
    expect(secure.status).toBe(200)
    expect(await kept()).toBe(1)
  })
})
