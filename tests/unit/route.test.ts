import { beforeEach, describe, expect, it, vi } from 'vitest'

const ORIGIN = 'https://pay.example.com'
const limits = vi.hoisted(() => ({ outcome: 'allowed', asked: [] as string[] }))

vi.mock('@/lib/env', () => ({
  env: () => ({ appOrigin: ORIGIN, allowedOrigins: [], trustedProxyHops: 0, logLevel: 'silent' }),
}))
vi.mock('@/lib/auth/session', () => ({ findUser: async () => ({ id: 'ada' }) }))
vi.mock('@/lib/redis/client', () => ({ doWithoutRedis: () => {} }))
vi.mock('@/lib/edge/take-limits', () => ({
  takeLimits: async (names: string[]) => {
    limits.asked.push(...names)
    const standings = [{ name: 'refunding', limit: 120, seconds: 60, remaining: 7, resetSeconds: 9 }]
    return { outcome: limits.outcome, isAway: false, retryAfterSeconds: 9, standings }
  },
}))

const { json, route } = await import('@/lib/http')

/** A handler by itself, without middleware before it (Z17). */
describe('route()', () => {
  const handle = vi.fn(async () => json({ done: true }))
  const ask = (path: string, headers: Record<string, string> = { origin: ORIGIN }) =>
    route(handle)(new Request(`${ORIGIN}${path}`, { method: 'POST', headers }), {})

  beforeEach(() => {
    handle.mockClear()
    limits.outcome = 'allowed'
    limits.asked = []
  })

  it('calls nothing that the route table does not list', async () => {
    expect((await ask('/api/payments/1/secrets')).status).toBe(404)
    expect(handle).not.toHaveBeenCalled()
  })

  it.each([
    {},
    { origin: 'null' },
    { origin: 'https://evil.example' },
    { origin: ORIGIN, 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' },
  ])('refuses a foreign, null or missing Origin: %j [H7]', async (headers) => {
    expect((await ask('/api/payments/1/refunds', headers as Record<string, string>)).status).toBe(403)
    expect(handle).not.toHaveBeenCalled()
  })

  it('wants no Origin where a secret is asked for instead [H7]', async () => {
    expect((await ask('/api/payments/webhook', {})).status).toBe(200)
  })

  it('counts what middleware did not, and says how the limits stand [F7]', async () => {
    const response = await ask('/api/payments/1/refunds', {
      origin: ORIGIN,
      ratelimit: '"writes";r=59;t=30',
      'ratelimit-policy': '"writes";q=60;w=60',
    })

    expect(limits.asked).toEqual(['refunding'])
    expect(response.headers.get('ratelimit')).toBe('"writes";r=59;t=30, "refunding";r=7;t=9')
    expect(response.headers.get('ratelimit-policy')).toBe('"writes";q=60;w=60, "refunding";q=120;w=60')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it.each([
    ['refused', 429],
    ['closed', 503],
  ])('answers a limit that is %s with %i and when to come back [C4, F7]', async (outcome, status) => {
    limits.outcome = outcome

    const response = await ask('/api/payments/1/refunds')

    expect(response.status).toBe(status)
    expect(response.headers.get('retry-after')).toBe('9')
    expect(response.headers.get('ratelimit')).toContain('"refunding"')
    expect(handle).not.toHaveBeenCalled()
  })
})
