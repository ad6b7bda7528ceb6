import { randomUUID } from 'node:crypto'
import { Agent, request as httpRequest } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type BareServer, startServerWithoutMiddleware } from '../support/bare-server'
import { adminSql } from '../support/db'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import { stack } from '../support/stack-in-test'

const { env, serverUrls } = stack()
const [guarded] = serverUrls as [string]

/** What only Bob may ever read, on any page or in any answer of his. */
type Secrets = { orderId: string; paymentId: string; marks: string[] }

let ada: Person
let bob: Person
let his: Secrets
let bare: BareServer

beforeAll(async () => {
  ;[ada, bob, bare] = await Promise.all([newPerson(), newPerson(), startServerWithoutMiddleware()])
  const orderId = await newOrder(bob.id)
  const { id: paymentId } = (await (await startPayment(bob, orderId)).json()) as { id: string }
  const [row] = await adminSql()`
    select o.reference, p.stripe_payment_intent_id as intent
    from public.orders o join public.payments p on p.order_id = o.id where o.id = ${orderId}`
  his = { orderId, paymentId, marks: [String(row?.reference), String(row?.intent), bob.email] }
})

afterAll(async () => {
  agent.destroy()
  await bare.stop()
})

const places = () => [
  '/payments',
  `/payments/${his.paymentId}`,
  `/payments/${his.paymentId}/result`,
  `/orders/${his.orderId}`,
  `/checkout/${his.orderId}`,
  '/api/payments/history',
  `/api/payments/${his.paymentId}`,
]

const agent = new Agent({ keepAlive: true, maxSockets: 16 })

/** As bytes on the wire: fetch would tidy the path up before it leaves. */
function ask(
  server: string,
  path: string,
  { method = 'GET', ...headers }: Record<string, string> = {},
): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(server)
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent, hostname, port, path, method, headers }, (response) => {
      let text = JSON.stringify(response.headers)
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    request.on('error', reject)
    request.end()
  })
}

type Variant = { path: string; headers: Record<string, string> }

async function leaksTo(server: string, variants: Variant[]): Promise<string[]> {
  const leaks: string[] = []
  for (const identity of [{}, { cookie: ada.cookie }] as Record<string, string>[]) {
    await Promise.all(
      variants.map(async ({ path, headers }) => {
        const { status, text } = await ask(server, path, { ...headers, ...identity })
        if (his.marks.some((mark) => text.includes(mark)))
          leaks.push(`${path} ${JSON.stringify(headers)} as ${identity.cookie ? 'a stranger' : 'nobody'}`)
        // Next itself cannot make a Request of a TRACE and answers a bare 500.
        if (status >= 500 && headers.method !== 'TRACE')
          leaks.push(`${path} ${JSON.stringify(headers)} answers ${status}`)
      }),
    )
  }
  return leaks
}

describe('without middleware.ts', () => {
  it('its owner still reads what is theirs, so that the rest of these tests can fail', async () => {
    for (const server of [guarded, bare.url]) {
      for (const path of places()) {
        const { text } = await ask(server, path, { cookie: bob.cookie })
        expect(
          his.marks.some((mark) => text.includes(mark)) || text.includes(his.paymentId),
          `${server}${path}`,
        ).toBe(true)
      }
    }
  })

  it('the gates are really gone there', async () => {
    const page = await ask(bare.url, '/sign-in')

    expect(page.status).toBe(200)
    expect(page.text).not.toContain('strict-dynamic')
  })

  it('neither a stranger nor somebody signed out reads any of it (Z17)', async () => {
    const plain = places().flatMap((path): Variant[] => [
      { path, headers: {} },
      { path, headers: { rsc: '1' } },
    ])

    expect(await leaksTo(bare.url, plain)).toEqual([])
  })

  it('nobody writes without a session, a foreign session or the secret of the jobs (Z17)', async () => {
    const writes = [
      ['/api/payments/create-payment-intent', { orderId: his.orderId }],
      [`/api/payments/${his.paymentId}/sync`, {}],
      [`/api/payments/${his.paymentId}/refunds`, { reason: 'requested_by_customer', note: '' }],
      ['/api/cron/sweep', {}],
      ['/api/cron/seal', {}],
      ['/api/cron/reconcile', {}],
      ['/api/payments/webhook', {}],
    ] as const
    const before = await traces()

    for (const [path, body] of writes) {
      for (const cookie of [ada.cookie, undefined]) {
        const response = await fetch(`${bare.url}${path}`, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            origin: env.APP_ORIGIN ?? '',
            'idempotency-key': randomUUID(),
            ...(cookie && { cookie }),
          },
          body: JSON.stringify(body),
        })
        expect([400, 401, 403, 404], `${path} ${cookie ? 'as a stranger' : 'as nobody'}`).toContain(
          response.status,
        )
      }
    }

    expect(await traces()).toEqual(before)
  })
})

describe('ways around the gates', () => {
  const HEADERS: Record<string, string>[] = [
    { 'x-middleware-subrequest': 'middleware' },
    { 'x-middleware-subrequest': 'middleware:middleware:middleware:middleware:middleware' },
    {
      'x-middleware-subrequest': 'src/middleware:src/middleware:src/middleware:src/middleware:src/middleware',
    },
    { 'x-middleware-subrequest': 'proxy:proxy:proxy:proxy:proxy' },
    { 'x-middleware-next': '1' },
    { 'x-middleware-rewrite': '/payments' },
    { 'x-middleware-override-headers': 'cookie', 'x-middleware-request-cookie': 'session=forged' },
    { 'x-middleware-prefetch': '1' },
    { 'x-middleware-invoke': '1' },
    { 'x-nextjs-data': '1' },
    { 'x-invoke-path': '/payments', 'x-invoke-output': '/payments' },
    { 'x-matched-path': '/payments' },
    { 'x-now-route-matches': '1=payments' },
    { 'x-original-url': '/' },
    { 'x-rewrite-url': '/' },
    { 'x-forwarded-host': 'localhost' },
    { 'x-forwarded-proto': 'http' },
    { 'x-forwarded-prefix': '/api/health' },
    { 'x-http-method-override': 'OPTIONS' },
    { 'x-user-id': 'admin' },
    { 'x-request-id': '1', 'x-nonce': 'forged' },
    { rsc: '1' },
    { rsc: '1', 'next-router-prefetch': '1' },
    { rsc: '1', 'next-router-segment-prefetch': '/_tree' },
    { rsc: '1', 'next-router-segment-prefetch': '/payments' },
    { rsc: '1', 'next-router-state-tree': '%5B%22%22%2C%7B%7D%5D' },
    { rsc: '1', 'next-url': '/payments' },
    { purpose: 'prefetch' },
    { 'next-action': '00'.repeat(20) },
    { 'next-resume': '1' },
    { 'x-next-revalidated-tags': 'payments' },
    { 'x-prerender-revalidate': 'forged' },
    { host: 'localhost' },
    { authorization: 'Bearer forged' },
    { method: 'HEAD' },
    { method: 'OPTIONS' },
    { method: 'TRACE' },
    { method: 'POST' },
  ]
  const PATHS: ((path: string) => string)[] = [
    (path) => `${path}/`,
    (path) => `/${path}`,
    (path) => `//localhost${path}`,
    (path) => `/.${path}`,
    (path) => `/x/..${path}`,
    (path) => `/x/%2e%2e${path}`,
    (path) => `${path}/.`,
    (path) => `${path}%2f`,
    (path) => `${path}%00`,
    (path) => `${path}%20`,
    (path) => `${path};.css`,
    (path) => `${path}?x=.css`,
    (path) => `${path}.rsc`,
    (path) => `${path}.json`,
    (path) => `${path}.txt`,
    (path) => `${path}.html`,
    (path) => `${path}.segments/_tree.segment.rsc`,
    (path) => `${path}.segments/_full.segment.rsc`,
    (path) => `${path}?_rsc=1`,
    (path) => `${path}?__nextLocale=en`,
    (path) => `${path}?nxtPpaymentId=${his.paymentId}`,
    (path) => path.toUpperCase(),
    (path) => path.replace('/p', '/%70'),
    (path) => path.replaceAll('/', '%2f').replace('%2f', '/'),
    (path) => path.replaceAll('/', '//'),
    (path) => path.replaceAll('/', '\\').replace('\\', '/'),
    (path) => `/_next/static/..${path}`,
    (path) => `/_next/static/%2e%2e/%2e%2e${path}`,
    (path) => `/_next/image?url=${encodeURIComponent(path)}&w=640&q=75`,
    (path) => `/_next/data/build${path}.json`,
    (path) => `/api/health/..${path}`,
    (path) => `/api/health/%2e%2e/%2e%2e${path}`,
    (path) => `/api/cron/..${path}`,
    (path) => `/icon.svg/..${path}`,
    (path) => `/icon.svg${path}`,
    (path) => `${path}#/api/health`,
    (path) => `/en${path}`,
    (path) => `/index${path}`,
  ]

  it('more than 65 of them lead nowhere, with the gates and without (Z18)', async () => {
    const targets = [
      `/payments/${his.paymentId}`,
      `/checkout/${his.orderId}`,
      `/api/payments/${his.paymentId}`,
    ]
    const variants = targets.flatMap((place) => [
      ...HEADERS.map((headers) => ({ path: place, headers })),
      ...PATHS.map((change) => ({ path: change(place), headers: {} })),
    ])

    expect(HEADERS.length + PATHS.length).toBeGreaterThanOrEqual(65)
    expect(await leaksTo(guarded, variants)).toEqual([])
    expect(await leaksTo(bare.url, variants)).toEqual([])
  })
})

async function traces() {
  const [counts] = await adminSql()`
    select (select count(*)::int from public.payments where order_id = ${his.orderId}) as payments,
      (select count(*)::int from private.refund_requests where payment_id = ${his.paymentId}) as refunds,
      (select count(*)::int from private.audit_log where subject_id in (${his.orderId}, ${his.paymentId})) as audited`
  return counts
}
