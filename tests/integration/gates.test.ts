import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { ACTIONS, HANDLERS, type HandlerName, PAGES } from '@/lib/edge/route-table'
import { ANSWERS, Refusal } from '../support/answers'
import { bearer, customer, newApiKey } from '../support/api-keys'
import { owingInvoice, PLANS } from '../support/billing'
import { quietDump } from '../support/database-dump'
import { builtActions, sendForm } from '../support/forms'
import { newStaff, type Paid, paid } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import { mailedToken, newPerson, type Person } from '../support/people'
import { eraseAccount, post, refund } from '../support/requests'
import { cardRequests } from '../support/saved-cards'
import { LISTED_ORIGIN } from '../support/stack'
import { stack } from '../support/stack-in-test'
import { voices } from '../support/staff'
import { staffRequests } from '../support/staff-requests'
import { eventOf, postEvent } from '../support/stripe-events'

const { env, appOrigin, serverUrls, mailboxUrl } = stack()
const [server, second] = serverUrls as [string, string]
const EVIL = 'evil.example'

const HOSTILE: Record<string, string>[] = [
  {},
  { origin: 'null' },
  { origin: `https://${EVIL}` },
  { origin: `${appOrigin}.${EVIL}` },
  { origin: appOrigin.replace('http:', 'https:') },
  { origin: appOrigin, 'sec-fetch-site': 'cross-site' },
  { origin: appOrigin, 'sec-fetch-site': 'same-site' },
  {
    origin: `https://${EVIL}`,
    'x-forwarded-host': EVIL,
    'x-forwarded-proto': 'https',
    forwarded: `host=${EVIL}`,
  },
]
/** Those a browser sends across sites without asking first, and ours. */
const TYPES = [
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json',
]

describe('the gates of the route table', () => {
  let bought: Paid
  let ada: Person
  let support: Person
  let openOrder: string

  beforeAll(async () => {
    bought = await paid()
    ada = bought.person
    support = await newStaff('support')
    openOrder = await newOrder(ada.id)
  })

  const filled = (path: string) =>
    path
      .replace('[orderId]', openOrder)
      .replace(/\[(paymentId|id)\]/, bought.paymentId)
      .replace(/\[\w+\]/, randomUUID())

  it('every handler and action that a cookie could work refuses all other origins, in any form, and does nothing [H7]', async () => {
    const handlers = Object.entries(HANDLERS).filter(([, rule]) => rule.csrf === 'origin')
    const targets = [
      ...handlers.map(([name]) => ({ name, path: filled(name.split(' ')[1] ?? ''), headers: {} })),
      ...builtActions().map(({ name, id }) => ({ name, path: '/', headers: { 'next-action': id } })),
    ]
    const body = JSON.stringify({ orderId: openOrder, reason: 'requested_by_customer' })
    const before = await quietDump()

    const answers = []
    for (const { name, path, headers } of targets) {
      for (const hostile of HOSTILE) {
        for (const type of TYPES) {
          const response = await fetch(`${server}${path}`, {
            method: name.split(' ')[1] ? (name.split(' ')[0] ?? '') : 'POST',
            headers: {
              'content-type': type,
              cookie: ada.cookie,
              'idempotency-key': randomUUID(),
              ...headers,
              ...hostile,
            },
            body,
          })
          answers.push(`${response.status} ${Refusal.parse(await response.json()).error.code}`)
        }
      }
    }

    expect(targets.map(({ name }) => name).toSorted()).toEqual(
      [...handlers.map(([name]) => name), ...Object.keys(ACTIONS)].toSorted(),
    )
    expect(answers).toHaveLength(targets.length * HOSTILE.length * TYPES.length)
    expect([...new Set(answers)]).toEqual(['403 foreign_origin'])
    expect(await quietDump()).toEqual(before)
  })

  it('our own pages may send forms, to any server and behind any proxy [H7]', async () => {
    for (const [to, headers] of [
      [server, {}],
      [second, {}],
      [server, { 'x-forwarded-host': EVIL }],
      [server, { 'sec-fetch-site': 'same-origin' }],
    ] as [string, Record<string, string>][]) {
      const response = await sendForm(
        '/',
        { productId: randomUUID(), quantity: '1' },
        { cookie: ada.cookie, server: to, headers },
      )

      expect(response.status, JSON.stringify(headers)).toBe(200)
      expect(await response.text()).toContain('There is nothing here.')
    }
  })

  it('a forged host appears in no link, mail or redirect [H13]', async () => {
    const forged = {
      'x-forwarded-host': EVIL,
      'x-forwarded-proto': 'https',
      forwarded: `host=${EVIL};proto=https`,
    }
    const texts = []
    for (const path of [...Object.keys(PAGES).map(filled), '/nowhere', '/payments/', '//evil.example/x']) {
      for (const cookie of [ada.cookie, '']) {
        const response = await fetch(`${server}${path}`, {
          headers: { ...forged, cookie },
          redirect: 'manual',
        })
        texts.push(`${response.headers.get('location') ?? ''} ${await response.text()}`)
      }
    }
    const created = await sendForm(
      '/',
      { productId: '7a0e8f10-0000-4000-8000-000000000001', quantity: '1' },
      { cookie: ada.cookie, headers: forged },
    )
    const asked = await sendForm('/forgotten-password', { email: ada.email }, { headers: forged })
    // It is sent behind the answer.
    await mailedToken(mailboxUrl, ada.email, 'recovery')
    const mail = await (await fetch(`${mailboxUrl}/api/messages?to=${encodeURIComponent(ada.email)}`)).text()

    expect(created.headers.get('location')).toMatch(/^(http:\/\/localhost:\d+)?\/orders\//)
    expect(asked.headers.get('location')).toMatch(/check-your-mail/)
    expect(mail).toContain('token_hash')
    // What a client puts into the path stays a path: one slash, never two.
    const poisoned = [...texts, mail]
      .map((text) => text.replaceAll(/(?<![:/])\/evil\.example\/x/g, ''))
      .filter((text) => text.includes(EVIL))
    expect(poisoned).toEqual([])
  })

  it('only a listed origin may read answers, and only those meant for it [H8]', async () => {
    const allowed = []
    for (const name of Object.keys(HANDLERS)) {
      const [method = '', path = ''] = name.split(' ')
      for (const origin of [
        LISTED_ORIGIN,
        `${LISTED_ORIGIN}.${EVIL}`,
        `https://x${LISTED_ORIGIN.slice(8)}`,
        'null',
        `https://${EVIL}`,
      ]) {
        const preflight = await fetch(`${server}${filled(path)}`, {
          method: 'OPTIONS',
          headers: {
            origin,
            'access-control-request-method': method,
            'access-control-request-headers': 'content-type',
          },
        })
        const answer = await fetch(`${server}${filled(path)}`, {
          method,
          headers: { origin, cookie: ada.cookie, 'content-type': 'text/plain' },
        })
        await answer.arrayBuffer()
        const seen = [preflight, answer].map(({ headers }) => headers.get('access-control-allow-origin'))
        if (seen.some((value) => value !== null)) allowed.push([name, ...seen])
      }
    }

    expect(allowed).toEqual(
      Object.entries(HANDLERS)
        .filter(([, rule]) => rule.cors)
        .map(([name]) => [name, LISTED_ORIGIN, LISTED_ORIGIN]),
    )
  })

  it('lets a listed origin start a payment, and no other [H8]', async () => {
    const path = '/api/payments/create-payment-intent'
    const listed = await post(
      path,
      ada,
      { orderId: openOrder },
      { headers: { origin: LISTED_ORIGIN, 'sec-fetch-site': 'same-site' } },
    )
    const other = await post(path, ada, { orderId: openOrder }, { headers: { origin: `https://${EVIL}` } })

    expect([listed.status, other.status]).toEqual([201, 403])
    expect(listed.headers.get('access-control-allow-credentials')).toBe('true')
  })

  it('reading changes nothing: every page and every address by GET and HEAD leaves the database as it was [H9]', async () => {
    const addresses = [
      ...Object.keys(PAGES),
      ...Object.keys(HANDLERS).map((name) => name.split(' ')[1] ?? ''),
      '/auth/confirm?token_hash=abcdefgh12345678&type=email',
      '/?cursor=x&next=/payments',
    ]
    const before = await quietDump()

    const statuses = []
    for (const address of addresses) {
      for (const method of ['GET', 'HEAD']) {
        for (const person of [ada, support]) {
          const response = await fetch(`${server}${filled(address)}`, {
            method,
            headers: { cookie: person.cookie },
            redirect: 'manual',
          })
          await response.arrayBuffer()
          statuses.push(response.status)
        }
      }
    }

    expect(statuses.filter((status) => status >= 500)).toEqual([])
    expect(await quietDump()).toEqual(before)
  })

  it('every JSON address answers with listed fields only [Z14]', async () => {
    const cron = { authorization: `Bearer ${env.CRON_SECRET}` }
    const get = (path: string) => fetch(`${server}${path}`, { headers: { cookie: ada.cookie } })
    const job = (path: string) => fetch(`${server}${path}`, { method: 'POST', headers: cron })
    const { paymentId } = bought
    const asked: Record<HandlerName, () => Promise<Response>> = {
      ...(await staffRequests()),
      'POST /api/payments/create-payment-intent': () =>
        post('/api/payments/create-payment-intent', ada, { orderId: openOrder }),
      'POST /api/payments/webhook': () =>
        postEvent(server, eventOf('x.y', { object: 'x' }), { secret: env.STRIPE_WEBHOOK_SECRET ?? '' }),
      'GET /api/payments/history': () => get('/api/payments/history'),
      'GET /api/payments/[id]': () => get(`/api/payments/${paymentId}`),
      'POST /api/payments/[id]/sync': () => post(`/api/payments/${paymentId}/sync`, ada, ''),
      'POST /api/payments/[id]/refunds': () =>
        refund(support, paymentId, { reason: 'requested_by_customer', amountMinor: 100 }),
      ...(await cardRequests(ada)),
      'POST /api/orders/[id]/cancellation': async () =>
        post(`/api/orders/${await newOrder(ada.id)}/cancellation`, ada, ''),
      'POST /api/privacy/erasure': async () => eraseAccount(await newPerson()),
      'POST /api/privacy/exports': () => post('/api/privacy/exports', ada, ''),
      'POST /api/orders/[id]/claim': async () => post(`/api/orders/${await newOrder(ada.id)}/claim`, ada, ''),
      'POST /api/session': () => post('/api/session', null, { email: ada.email, password: ada.password }),
      'POST /api/cron/sweep': () => job('/api/cron/sweep'),
      'POST /api/cron/sessions': () => job('/api/cron/sessions'),
      'POST /api/cron/retention': () => job('/api/cron/retention'),
      'POST /api/cron/outbox': () => job('/api/cron/outbox'),
      'POST /api/cron/grace': () => job('/api/cron/grace'),
      'POST /api/billing/checkouts': () => post('/api/billing/checkouts', ada, { planId: PLANS.basic }),
      'POST /api/billing/portal-sessions': async () => {
        await owingInvoice(ada)
        return post('/api/billing/portal-sessions', ada, '')
      },
      'POST /api/billing/invoices/[id]/payment': async () =>
        post(`/api/billing/invoices/${await owingInvoice(ada)}/payment`, ada, ''),
      'GET /api/billing/entitlements': async () => {
        const { customerId } = await customer(ada)
        const { secret } = await newApiKey((await voices()).admin)
        return await fetch(`${server}/api/billing/entitlements?customerId=${customerId}`, {
          headers: bearer(secret),
        })
      },
      'POST /api/cron/cards': () => job('/api/cron/cards'),
      'POST /api/cron/seal': () => job('/api/cron/seal'),
      'POST /api/cron/reconcile': () => job('/api/cron/reconcile'),
      'POST /api/csp-reports': () => post('/api/csp-reports', null, '[]'),
      'GET /api/health': () => get('/api/health'),
    }
    for (const [name, ask] of Object.entries(asked)) {
      const response = await ask()
      const text = await response.text()
      const schema = ANSWERS[name as HandlerName]

      expect(response.status, `${name} ${text}`).toBeLessThan(300)
      if (schema) expect(schema.safeParse(JSON.parse(text)).error?.issues, `${name} ${text}`).toBeUndefined()
      else expect(text, name).toBe('')
    }
    // Each of the jobs may work for up to 25 seconds on what earlier tests have left.
  }, 300_000)
})
