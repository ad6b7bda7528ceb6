import { request } from 'node:http'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { startStripe } from '../../../sandbox/stripe/server.ts'
import { localStripe, PUBLISHABLE_KEY, SECRET_KEY, send } from './support/local-stripe.ts'

// The others of these locks are proven where they belong: keys, Origin and Host in authentication.test.ts, no start in production in
// durability.test.ts, frames in stripe-browser/isolation.test.ts, the pages in stripe-browser/admin-page.test.ts.

const { url, stripe } = await localStripe()
const { port } = new URL(url)

describe('this machine only', () => {
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address)

  // 127.0.0.2 is what a server on all addresses would answer to even where there is no network.
  it.each(['127.0.0.2', '::1', ...others])('nobody listens on %s', async (address) => {
    expect(await connects(address)).toBe(false)
  })

  it('it is reached on 127.0.0.1', async () => {
    expect(await connects('127.0.0.1')).toBe(true)
  })
})

describe('live mode', () => {
  it.each([
    ['sk_live_1', PUBLISHABLE_KEY],
    ['rk_live_1', PUBLISHABLE_KEY],
    [SECRET_KEY, 'pk_live_1'],
    ['', ''],
  ])('a server is not started with the keys %s and %s', async (secretKey, publishableKey) => {
    const start = startStripe({
      port: 0,
      databasePath: ':memory:',
      appOrigin: 'http://localhost:3000',
      secretKey,
      publishableKey,
    })

    await expect(start).rejects.toThrow('test keys only')
  })

  it('a live key is refused in an address and as a user name too', async () => {
    const inAddress = await send(url, '/v1/payment_intents/pi_x?key=pk_live_0123456789', { method: 'GET' })
    const authorization = `Basic ${Buffer.from('sk_live_0123456789:').toString('base64')}`
    const asUser = await send(url, '/v1/customers', { method: 'GET', headers: { authorization } })

    for (const answer of [inAddress, asUser]) {
      expect(answer.status).toBe(401)
      expect(JSON.stringify(answer.body)).toContain('LIVE KEY REFUSED')
      expect(JSON.stringify(answer.body)).not.toContain('0123456789')
    }
  })

  it('nothing it makes says that it is live', async () => {
    const { data } = await stripe.events.list()
    const customer = await stripe.customers.create({})

    expect([customer, ...data].every(({ livemode }) => livemode === false)).toBe(true)
  })
})

describe("the page's forms", () => {
  const own = { origin: url, 'sec-fetch-site': 'same-origin' }

  it('are taken from the page itself', async () => {
    expect(await post({ ...own, host: `127.0.0.1:${port}` })).toBe(303)
    const local = `http://localhost:${port}`
    expect(await post({ ...own, origin: local, host: `localhost:${port}` })).toBe(303)
  })

  it.each([
    ['another origin', { ...own, origin: 'https://evil.example' }],
    ["the app's origin", { ...own, origin: 'http://localhost:3000' }],
    ['our other name', { ...own, origin: `http://localhost:${port}` }],
    ['another port', { ...own, origin: 'http://127.0.0.1:1' }],
    ['an opaque origin', { ...own, origin: 'null' }],
    ['no origin', { 'sec-fetch-site': 'same-origin' }],
    ['the same site only', { ...own, 'sec-fetch-site': 'same-site' }],
    ['another site', { ...own, 'sec-fetch-site': 'cross-site' }],
    ['nobody says where', { origin: url }],
    ['a foreign host name', { ...own, host: `evil.example:${port}`, origin: `http://evil.example:${port}` }],
  ])('are refused from %s', async (_, headers) => {
    const before = await advanced()

    expect(await post(headers)).toBe(403)
    expect(await advanced()).toBe(before)
  })

  it.each([
    ['without the token', () => 'seconds=60', 'application/x-www-form-urlencoded'],
    ['with another token', () => 'seconds=60&token=AAAA', 'application/x-www-form-urlencoded'],
    ['as plain text', (token: string) => `seconds=60&token=${token}`, 'text/plain'],
    ['of endless length', (token: string) => `token=${token}&x=${'x'.repeat(20_000)}`, undefined],
  ])('are refused %s', async (_, body, type) => {
    const before = await advanced()

    expect(await post(own, body(await token()), type)).toBe(403)
    expect(await advanced()).toBe(before)
  })

  it('each process has its own token', async () => {
    const other = await localStripe()

    expect(await token(other.url)).not.toBe(await token())
  })

  it('no key, no signing secret and no local secret is on any page', async () => {
    const endpoint = await stripe.webhookEndpoints.create({
      url: 'http://127.0.0.1:1',
      enabled_events: ['charge.refunded'],
    })
    const paths = ['/', '/admin/events', '/admin/clock', '/admin/chaos', `/admin/objects/${endpoint.id}`]
    const pages = await Promise.all(paths.map(async (path) => (await fetch(url + path)).text()))

    expect(pages.at(-1)).toContain(endpoint.id)
    for (const secret of [SECRET_KEY, PUBLISHABLE_KEY, 'secret-of-the-tests', endpoint.secret ?? 'whsec_']) {
      expect(pages.some((page) => page.includes(secret))).toBe(false)
    }
  })

  it('the pages run and load their own files only', async () => {
    const response = await fetch(url)
    const policy = response.headers.get('content-security-policy') ?? ''

    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(await response.text()).not.toMatch(/<style|style=|\son\w+=|<script>/)
  })

  async function token(of = url): Promise<string> {
    const page = await (await fetch(`${of}/admin/clock`)).text()
    return /name="token" value="([\w-]+)"/.exec(page)?.[1] ?? ''
  }

  async function post(
    headers: Record<string, string>,
    body?: string,
    type = 'application/x-www-form-urlencoded',
  ): Promise<number | undefined> {
    const sent = body ?? `seconds=60&token=${await token()}`
    return await new Promise((resolve, reject) => {
      const options = {
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/admin/clock',
        headers: { 'content-type': type, ...headers },
      }
      request(options, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end(sent)
    })
  }

  async function advanced(): Promise<number> {
    const { created } = await stripe.customers.create({})
    return Math.round((created - Date.now() / 1000) / 60)
  }
})

function connects(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 2000 })
    const end = (connected: boolean) => {
      socket.destroy()
      resolve(connected)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
    socket.once('timeout', () => end(false))
  })
}
