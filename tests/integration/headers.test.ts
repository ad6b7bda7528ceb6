import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { stack } from '../support/stack-in-test'

const { env, serverUrls } = stack()
const [server] = serverUrls as [string]
const stripeOrigin = new URL(env.STRIPE_API_BASE ?? '').origin

const PAGES = [
  '/',
  '/sign-in',
  '/sign-up',
  '/forgotten-password',
  '/new-password',
  '/check-your-mail',
  '/auth/confirm',
  '/payments',
  '/cards',
  '/nowhere',
]
const ADD_CARD = '/cards/new'
const API = [
  '/api/payments/history',
  '/api/payments/webhook',
  '/api/health',
  '/api/health?live',
  '/api/cron/sweep',
  `/api/payments/${randomUUID()}`,
  '/api/nowhere',
]

function directives(response: Response): Map<string, string> {
  const policy = response.headers.get('content-security-policy') ?? ''
  return new Map(
    policy.split('; ').map((part) => [part.split(' ')[0] ?? '', part.split(' ').slice(1).join(' ')]),
  )
}

describe('headers', () => {
  let ada: Person
  let checkout: string
  let order: string

  beforeAll(async () => {
    ada = await newPerson()
    const orderId = await newOrder(ada.id)
    checkout = `/checkout/${orderId}`
    order = `/orders/${orderId}`
  })

  const open = (path: string) =>
    fetch(`${server}${path}`, { headers: { cookie: ada.cookie }, redirect: 'manual' })

  it('every page has a policy with a fresh nonce and without unsafe sources (H1)', async () => {
    const nonces = new Set<string>()
    let pages = 0
    for (let round = 0; round < 10; round++) {
      for (const path of [...PAGES, order, checkout, ADD_CARD]) {
        const policy = directives(await open(path))
        const scripts = policy.get('script-src') ?? ''
        pages++
        const nonce = /'nonce-([^']+)'/.exec(scripts)?.[1] ?? ''
        nonces.add(nonce)

        // 128 bits.
        expect(nonce, path).toMatch(/^[\w+/]{22}==$/)
        expect(scripts, path).toContain("'strict-dynamic'")
        expect(scripts, path).not.toMatch(/unsafe-(inline|eval)|\*|https?:\/\/(?!127\.0\.0\.1)/)
        expect(policy.get('style-src'), path).not.toContain('unsafe')
        for (const name of ['object-src', 'base-uri', 'frame-ancestors'])
          expect(policy.get(name), `${path} ${name}`).toBe("'none'")
        expect(policy.get('default-src')).toBe("'none'")
      }
    }
    expect(nonces.size).toBe(pages)
  })

  it('no page holds a script or style without that nonce, an inline handler or an inline style (H2)', async () => {
    for (const path of [...PAGES, order, checkout, ADD_CARD]) {
      const response = await open(path)
      const html = await response.text()
      if (response.status >= 300 && response.status < 400) continue
      const nonce = /'nonce-([^']+)'/.exec(response.headers.get('content-security-policy') ?? '')?.[1]
      const tags = html.match(/<(script|style)\b[^>]*>/g) ?? []

      expect(tags.length, path).toBeGreaterThan(0)
      expect(
        tags.filter((tag) => !tag.includes(`nonce="${nonce}"`)),
        path,
      ).toEqual([])
      expect(html.match(/<[^>]+\s(on\w+|style)="/g) ?? [], path).toEqual([])
    }
  })

  it('only the pages that take a card may speak to Stripe', async () => {
    for (const path of [...PAGES, order]) {
      expect((await open(path)).headers.get('content-security-policy'), path).not.toContain(stripeOrigin)
    }
    for (const path of [checkout, ADD_CARD]) {
      const policy = directives(await open(path))

      expect(policy.get('frame-src'), path).toBe(stripeOrigin)
      expect(policy.get('connect-src'), path).toBe("'self'")
    }
  })

  it('every answer carries the other security headers, pages and API alike (H6)', async () => {
    for (const path of [...PAGES, ...API, order, checkout, ADD_CARD]) {
      const { headers } = await open(path)

      expect(headers.get('content-security-policy'), path).toMatch(/default-src 'none'/)
      expect(headers.get('strict-transport-security'), path).toBe(
        'max-age=63072000; includeSubDomains; preload',
      )
      expect(headers.get('x-content-type-options'), path).toBe('nosniff')
      expect(headers.get('referrer-policy'), path).toBe('strict-origin-when-cross-origin')
      expect(headers.get('cross-origin-opener-policy'), path).toBe('same-origin-allow-popups')
      expect(headers.get('permissions-policy'), path).toContain('camera=()')
      expect(headers.get('x-powered-by'), path).toBeNull()
      expect(headers.get('access-control-allow-origin'), path).toBeNull()
    }
  })

  it('every answer says what it is, and text in which letters (H6)', async () => {
    const types = new Set<string>()
    for (const path of [...PAGES, ...API, order, checkout, ADD_CARD]) {
      const answer = await open(path)
      const type = answer.headers.get('content-type') ?? 'nothing'
      if ((await answer.text()) !== '') types.add(type.toLowerCase().replaceAll(' ', ''))
    }

    // JSON is always in UTF-8 and knows no other.
    expect(types).toEqual(new Set(['text/html;charset=utf-8', 'application/json']))
  })

  it('no private answer may be kept by a cache (H11)', async () => {
    for (const path of ['/payments', order, checkout, ADD_CARD, '/api/payments/history', '/sign-in']) {
      expect((await open(path)).headers.get('cache-control'), path).toContain('no-store')
    }
  })

  it('errors name a request id and nothing of the inside', async () => {
    for (const path of API) {
      const response = await fetch(`${server}${path}`)
      const text = await response.text()
      if (response.status >= 400 && response.headers.get('content-type')?.includes('json')) {
        expect(JSON.parse(text).error ?? { requestId: 'health' }, path).toHaveProperty('requestId')
      }
      expect(text, path).not.toMatch(/\bat \/|node_modules|PGRST|relation |select /)
    }
  })

  it('one address cannot hammer sign-in', async () => {
    // Without a trusted proxy all addresses share one bucket a hundred times as large; forged headers change nothing.
    const response = await fetch(`${server}/sign-in`, {
      method: 'POST',
      headers: { 'x-forwarded-for': '1.2.3.4' },
    })

    expect(response.status).not.toBe(429)
  })
})
