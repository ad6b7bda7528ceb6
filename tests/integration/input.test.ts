import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import type { Leashed } from '../../scripts/processes'
import { dumpDatabase, quietDump } from '../support/database-dump'
import { sendForm } from '../support/forms'
import { newStaff, type Paid, paid } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import type { Person } from '../support/people'
import { post } from '../support/requests'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'

const { env, appOrigin } = stack()
const CREATE = '/api/payments/create-payment-intent'
const CARDS = ['4242424242424242', '4242 4242 4242 4242', '4242-4242-4242-4242', 'card: 5555 5555 5555 4444.']

/** A server of its own, behind one trusted proxy, whose log can be read. */
describe('what is sent to us', () => {
  let server: Leashed
  let url: string
  let bought: Paid
  let ada: Person
  let support: Person
  let orderId: string
  let slow: Promise<string>[]
  const lines: string[] = []

  beforeAll(async () => {
    const port = await freePort()
    url = `http://localhost:${port}`
    server = startServer(port, { ...env, REDIS_TIMEOUT_MS: '3000', TRUSTED_PROXY_HOPS: '1' }, (line) =>
      lines.push(line),
    )
    await waitUntilReady(url, 60_000)
    // These take as long as a body may: they wait while the other tests run.
    slow = [CREATE, '/sign-in', '/api/payments/webhook', '/api/csp-reports'].map((path) =>
      stalledBody(port, path),
    )
    bought = await paid()
    ada = bought.person
    support = await newStaff('support')
    orderId = await newOrder(ada.id)
  })
  afterAll(() => server?.stop())

  const from = (address: string) => ({ 'x-forwarded-for': address })
  const send = (path: string, body: unknown, headers: Record<string, string> = {}, person: Person = ada) =>
    post(path, person, body, {
      server: url,
      headers: { ...from(`198.51.100.${1 + Math.floor(Math.random() * 200)}`), ...headers },
    })

  it.each([
    ['nested deeper than anything we ask for', `{"orderId":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 400],
    ['longer than anything we ask for', JSON.stringify({ orderId: 'x'.repeat(70_000) }), 413],
    ['with a field twice', '{"orderId":"a","orderId":"b"}', 400],
    ['with a field twice in disguise', '{"orderId":"a","order\\u0049d":"b"}', 400],
    ['that is no text', new TextDecoder('latin1').decode(new Uint8Array([0xff, 0xfe])), 400],
    ['cut off', '{"orderId":', 400],
  ])('refuses JSON %s [H17]', async (_what, body, status) => {
    expect((await send(CREATE, body)).status).toBe(status)
  })

  it('refuses a name that is there twice in a query, since two readers might take another one each [H17]', async () => {
    const ask = (query: string) =>
      fetch(`${url}/api/payments/history?${query}`, { headers: { cookie: ada.cookie } })

    expect((await ask('limit=1&limit=100')).status).toBe(400)
    expect((await ask('limit=1&%6cimit=100')).status).toBe(400)
    expect((await ask('limit=1')).status).toBe(200)
  })

  it('counts a body that does not say how long it is [H17]', async () => {
    const chunks = new ReadableStream({
      start(controller) {
        for (let n = 0; n < 20; n++) controller.enqueue(new TextEncoder().encode(' '.repeat(8_192)))
        controller.close()
      },
    })
    const response = await fetch(`${url}${CREATE}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: appOrigin,
        cookie: ada.cookie,
        'idempotency-key': 'k',
        ...from('198.51.100.7'),
      },
      body: chunks,
      duplex: 'half',
    } as RequestInit)

    expect(response.status).toBe(413)
  })

  it('refuses a form of a megabyte, announced or not, and goes on [H17]', async () => {
    const email = 'x'.repeat(1024 * 1024)
    const announced = await sendForm(
      '/forgotten-password',
      { email },
      { server: url, headers: from('198.51.100.8') },
    )
    const form = new FormData()
    form.set('email', email)
    const whole = new Uint8Array(await new Response(form).arrayBuffer())
    const unannounced = await fetch(`${url}/forgotten-password`, {
      method: 'POST',
      headers: {
        'content-type': 'multipart/form-data; boundary=x',
        origin: appOrigin,
        'next-action': '0'.repeat(42),
        ...from('198.51.100.9'),
      },
      body: new ReadableStream({
        start(controller) {
          controller.enqueue(whole)
          controller.close()
        },
      }),
      duplex: 'half',
    } as RequestInit)

    expect(announced.status).toBe(413)
    expect(unannounced.status).toBeGreaterThanOrEqual(400)
    expect((await fetch(`${url}/api/health?live`)).status).toBe(200)
  })

  it('survives bodies that break off [H17]', async () => {
    const port = Number(new URL(url).port)
    await Promise.all(
      [CREATE, '/api/payments/webhook', '/sign-in', '/api/csp-reports'].map((path) => brokenBody(port, path)),
    )

    expect((await fetch(`${url}/api/health?live`)).status).toBe(200)
  })

  it('refuses whatever field nobody asked for, in every body and query, and keeps none [Z13]', async () => {
    const before = await quietDump()
    const names = fc.constantFrom(
      'id',
      'user_id',
      'userId',
      'status',
      'amount',
      'amountMinor',
      'currency',
      'role',
      '__proto__',
      'constructor',
      'customer',
      'livemode',
    )
    await fc.assert(
      fc.asyncProperty(names, fc.jsonValue({ maxDepth: 2 }), async (name, value) => {
        // Written by hand: an object literal would take __proto__ for something else.
        const extra = `${JSON.stringify(name)}:${JSON.stringify(value)}`
        const answers = await Promise.all([
          send(CREATE, `{"orderId":"${orderId}",${extra}}`),
          ...(name === 'amountMinor'
            ? []
            : [
                send(
                  `/api/payments/${bought.paymentId}/refunds`,
                  `{"reason":"duplicate",${extra}}`,
                  {},
                  support,
                ),
              ]),
          // Next leaves this name out of a query before anybody sees it.
          ...(name === '__proto__'
            ? []
            : [
                fetch(`${url}/api/payments/history?limit=5&${name}=x`, {
                  headers: { cookie: ada.cookie, ...from('198.51.100.10') },
                }),
              ]),
        ])

        expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 400))
      }),
      { numRuns: 20 },
    )
    expect(await quietDump()).toEqual(before)
  })

  it.each(CARDS)(
    'refuses the card number in %j wherever it stands, and neither keeps nor logs it [L2]',
    async (card) => {
      const refunds = `/api/payments/${bought.paymentId}/refunds`
      const answers = await Promise.all([
        send('/api/session', { email: card, password: card }),
        send('/api/session', { email: ada.email, password: card }),
        send(CREATE, { orderId: card }),
        send(CREATE, { orderId, [card]: 1 }),
        send(refunds, { reason: 'duplicate', note: card }, {}, support),
        send(refunds, { reason: card }, {}, support),
        ...(card.includes(' ') ? [] : [send(CREATE, { orderId }, { 'idempotency-key': card })]),
        fetch(`${url}/api/payments/history?cursor=${encodeURIComponent(card)}`, {
          headers: { cookie: ada.cookie, ...from('198.51.100.11') },
        }),
        fetch(`${url}/payments?cursor=${encodeURIComponent(card)}`, {
          headers: { cookie: ada.cookie, ...from('198.51.100.11') },
        }),
        fetch(`${url}/orders/${encodeURIComponent(card)}`, {
          headers: { cookie: ada.cookie, ...from('198.51.100.11') },
        }),
      ])
      const bodies = await Promise.all(
        answers.map(async (answer) => ({
          status: answer.status,
          ...(await answer.json()).error,
          requestId: '',
        })),
      )
      const forms = await Promise.all([
        sendForm(
          '/sign-up',
          { email: card, password: card },
          { server: url, headers: from('198.51.100.12') },
        ),
        sendForm('/forgotten-password', { email: card }, { server: url, headers: from('198.51.100.12') }),
      ])
      const pages = await Promise.all(forms.map((form) => form.text()))

      expect([...new Set(bodies.map((body) => JSON.stringify(body)))]).toHaveLength(1)
      expect(bodies[0]).toMatchObject({ status: 400, code: 'card_number_refused' })
      for (const page of pages) {
        expect(page).toContain('This looks like a card number.')
        expect(page).not.toContain(card)
      }
      const digits = card.replace(/\D/g, '')
      const kept = Object.entries(await dumpDatabase()).filter(([, rows]) =>
        rows.replace(/[ .-]/g, '').includes(digits),
      )
      expect(kept).toEqual([])
      expect(lines.filter((line) => line.replace(/[ .-]/g, '').includes(digits))).toEqual([])
    },
  )

  it('takes reports of broken policies in both forms, and logs the directive, the origin and the page [H15]', async () => {
    const page = `${appOrigin}/checkout/1?secret=canary`
    const blocked = 'https://evil.example/steal?token=canary'
    const modern = [
      {
        type: 'csp-violation',
        url: page,
        user_agent: 'canary',
        body: {
          effectiveDirective: 'script-src-elem',
          blockedURL: blocked,
          documentURL: page,
          sample: 'canary',
        },
      },
    ]
    const legacy = {
      'csp-report': {
        'violated-directive': 'img-src',
        'blocked-uri': 'inline',
        'document-uri': page,
        'script-sample': 'canary',
      },
    }
    const report = (body: unknown, type: string) =>
      fetch(`${url}/api/csp-reports`, {
        method: 'POST',
        headers: { 'content-type': type, ...from('198.51.100.20') },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      })

    const statuses = []
    for (const [body, type] of [
      [modern, 'application/reports+json'],
      [legacy, 'application/csp-report'],
      [[], 'application/reports+json'],
      [legacy, 'text/plain'],
      ['{', 'application/csp-report'],
      ['null', 'application/csp-report'],
      [{ 'csp-report': 5 }, 'application/csp-report'],
      [
        [{ type: 'csp-violation', body: { effectiveDirective: 5, blockedURL: {}, documentURL: [] } }],
        'application/reports+json',
      ],
      [[{ type: 'csp-violation' }], 'application/reports+json'],
      [`[${'{},'.repeat(3_000)}{}]`, 'application/reports+json'],
    ] as const) {
      statuses.push((await report(body, type)).status)
    }

    expect(statuses).toEqual([204, 204, 204, 415, 400, 400, 400, 204, 204, 413])
    await expect
      .poll(() => lines.filter((line) => line.includes('csp_violation')).length, { timeout: 20_000 })
      .toBe(4)
    const told = lines.filter((line) => line.includes('csp_violation')).map((line) => JSON.parse(line))
    expect(told[0]).toMatchObject({
      kind: 'script-src-elem',
      source: 'https://evil.example',
      route: '/checkout/[orderId]',
    })
    expect(told[1]).toMatchObject({ kind: 'img-src', source: 'inline', route: '/checkout/[orderId]' })
    expect(lines.join('\n')).not.toContain('canary')
  })

  it('limits reports, and names where they go in the policy of every page [H15]', async () => {
    const flood = await Promise.all(
      Array.from({ length: 100 }, () =>
        fetch(`${url}/api/csp-reports`, {
          method: 'POST',
          headers: { 'content-type': 'application/reports+json', ...from('198.51.100.21') },
          body: '[]',
        }),
      ),
    )
    const page = await fetch(`${url}/sign-in`, { headers: from('198.51.100.22') })

    const taken = flood.filter(({ status }) => status === 204).length
    expect(taken).toBeLessThanOrEqual(60)
    expect(flood.filter(({ status }) => status === 429)).toHaveLength(100 - taken)
    expect(page.headers.get('content-security-policy')).toContain(
      'report-uri /api/csp-reports; report-to csp',
    )
    expect(page.headers.get('reporting-endpoints')).toBe('csp="/api/csp-reports"')
  })

  it('gives up on a body that stalls, before and behind middleware, with 408 [H17]', async () => {
    const answers = await Promise.all(slow)

    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 /)
    expect((await fetch(`${url}/api/health?live`)).status).toBe(200)
  })
})

const head = (path: string, length: number) =>
  `POST ${path} HTTP/1.1\r\nhost: localhost\r\norigin: ${appOrigin}\r\ncontent-type: application/json\r\nidempotency-key: ${randomUUID()}\r\nx-forwarded-for: 198.51.100.30\r\ncontent-length: ${length}\r\n\r\n{"a"`

/** Announces a body and sends only its beginning. @returns all the server said until it hung up */
function stalledBody(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => socket.write(head(path, 100)))
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk.toString()))
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

/** Announces a body, sends its beginning, and is gone. */
function brokenBody(port: number, path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, 'localhost', () => {
      socket.write(head(path, 100), () => setTimeout(() => socket.resetAndDestroy(), 50))
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
  })
}
