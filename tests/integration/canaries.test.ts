import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asHeader, CANARY, CANARY_TEXTS, canariesIn, EVERY_CANARY, MARK } from '../support/canaries'
import { askEverywhere, sayAccepted } from '../support/canary-requests'
import { columnsHolding } from '../support/database-text'
import { adminSql } from '../support/db'
import { sendForm } from '../support/forms'
import { recordsOf, suspicious } from '../support/log-lines'
import { from, type LoggedServers, startLoggedServers } from '../support/logged-servers'
import { newStaff, paid } from '../support/paid'
import { newPerson, type Person } from '../support/people'
import { post, refund } from '../support/requests'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'

const { env } = stack()
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

describe('what must not stay', () => {
  let servers: LoggedServers
  let first: string
  let second: string
  let ada: Person

  beforeAll(async () => {
    servers = await startLoggedServers()
    ;[first, second] = servers.urls as [string, string]
    ada = await newPerson()
  })
  afterAll(async () => await servers?.stop())

  it('no canary comes out of any input, header, query, path or error, in the log or the database (L1)', async () => {
    const staff = await newStaff('support')
    const { paymentId } = await paid()
    for (const [n, canary] of CANARY_TEXTS.entries()) {
      const encoded = encodeURIComponent(canary)
      const headers = {
        ...from(`203.0.113.${n}`),
        'user-agent': asHeader(canary),
        referer: `https://x.test/${encoded}`,
        'x-request-id': asHeader(canary),
        'x-canary': asHeader(canary),
      }
      const server = n % 2 ? first : second
      const signedIn = { ...headers, cookie: `${ada.cookie}; other=${encoded}`, origin: stack().appOrigin }
      await Promise.all([
        ...[
          '/',
          '/sign-in',
          '/payments',
          `/payments/${encoded}`,
          `/orders/${encoded}`,
          `/checkout/${encoded}`,
        ].map((page) =>
          fetch(`${server}${page}?next=${encoded}&cursor=${encoded}&q=${encoded}`, { headers: signedIn }),
        ),
        ...['/api/payments/history', `/api/payments/${encoded}`, '/api/health', `/${encoded}`].map((path) =>
          fetch(`${server}${path}?cursor=${encoded}&limit=${encoded}`, { headers: signedIn }),
        ),
        fetch(`${server}/api/payments/history`, {
          headers: { ...headers, cookie: `session=${encoded}`, authorization: `Bearer ${asHeader(canary)}` },
        }),
        ...['sweep', 'seal', 'reconcile'].map((job) =>
          fetch(`${server}/api/cron/${job}?q=${encoded}`, {
            method: 'POST',
            headers: { ...headers, authorization: `Bearer ${asHeader(canary)}` },
          }),
        ),
        post(
          '/api/payments/create-payment-intent',
          ada,
          { orderId: canary, [canary]: canary },
          { server, headers },
        ),
        post('/api/payments/create-payment-intent', ada, `{"orderId": ${canary}`, { server, headers }),
        post(`/api/payments/${encoded}/sync?q=${encoded}`, ada, {}, { server, headers }),
        refund(staff, paymentId, { reason: canary, note: canary, amountMinor: canary }, { server, headers }),
        refund(ada, paymentId, { reason: 'duplicate', amountMinor: 1 }, { server, headers }),
        fetch(`${server}/api/payments/webhook`, {
          method: 'POST',
          headers: {
            ...headers,
            'content-type': 'application/json',
            'stripe-signature': `t=1,v1=${asHeader(canary)}`,
          },
          body: JSON.stringify({ id: canary }),
        }),
        postEvent(server, canaryEvent(canary), { secret }),
        fetch(`${server}/sign-in`, {
          method: 'POST',
          headers: { ...headers, origin: stack().appOrigin, 'next-action': asHeader(canary) },
          body: canary,
        }),
      ])
      const form = { server, cookie: ada.cookie, headers }
      const asForm = { server, headers }
      await post('/api/session', null, { email: CANARY.mail, password: canary, next: canary }, asForm)
      await post('/api/session', null, { email: canary, password: CANARY.password }, asForm)
      await sendForm('/forgotten-password', { email: canary }, { ...form, cookie: '' })
      await sendForm('/', { productId: canary, quantity: canary }, form)
      // Half a link shows no form; the one of a whole link is sent from there all the same.
      await sendForm('/auth/confirm?token_hash=abcdefgh12345678&type=email', { tokenHash: canary }, form)
      await sendForm(`/auth/confirm?token_hash=${encoded}&type=email`, { tokenHash: canary }, form)
      await sendForm('/new-password', { password: `${canary} long enough` }, form)
    }
    await sendForm(
      '/sign-up',
      { email: CANARY.mail, password: CANARY.password },
      { server: first, cookie: '' },
    )
    const health = await (await fetch(`${first}/api/health`)).text()
    await servers.allIsWritten()

    expect(canariesIn(servers.lines.join('\n'))).toEqual([])
    expect(suspicious(servers.lines)).toEqual([])
    expect(canariesIn(health)).toEqual([])
    const columns = await columnsHolding(EVERY_CANARY)
    expect(columns.filter((column) => !OWN_COLUMNS.has(column))).toEqual([])
    const records = recordsOf(servers.lines)
    // All of it came as far as it was meant to.
    expect(records.map(({ event }) => event)).toEqual(
      expect.arrayContaining([
        'event_applied',
        'sign_in_failed',
        'signature_refused',
        'authorization_denied',
      ]),
    )
    expect(records.filter(({ event }) => event.includes('forged'))).toEqual([])
  })

  it('nor out of any address of staff, of other systems or of browsers, refused or taken (L1)', async () => {
    const bought = await paid()
    const before = servers.lines.length
    const refusals: Response[] = []
    const taken: Response[] = []
    for (const [n, canary] of CANARY_TEXTS.entries()) {
      const server = n % 2 ? first : second
      const at = { server, headers: from(`203.0.113.${100 + n}`) }
      // From elsewhere: a quick machine does both in the one second in which an address may write thirty times.
      const fromElsewhere = { server, headers: from(`203.0.113.${200 + n}`) }
      refusals.push(...(await askEverywhere(canary, await newStaff('admin'), at)))
      if (canary === CANARY.card) refusals.push(...(await sayAccepted(canary, bought, fromElsewhere)))
      else taken.push(...(await sayAccepted(canary, bought, fromElsewhere)))
    }
    const told = await Promise.all(refusals.map((response) => response.text()))
    await servers.allIsWritten()

    expect(canariesIn(told.join('\n'))).toEqual([])
    const refused = taken.filter(({ status }) => status >= 300 && status !== 404)
    expect(refused.map(({ status, url }) => `${status} ${new URL(url).pathname}`)).toEqual([])
    const lines = servers.lines.slice(before)
    expect(canariesIn(lines.join('\n'))).toEqual([])
    expect(suspicious(lines)).toEqual([])
    const columns = await columnsHolding(EVERY_CANARY)
    expect(columns.filter((column) => !OWN_COLUMNS.has(column) && !FREE_TEXT.has(column))).toEqual([])
    const beside = await adminSql()`
      select action, detail from private.audit_log
      where strpos((detail - 'reason')::text, ${MARK}) > 0 or strpos(detail::text, ${CANARY.card}) > 0`
    expect(beside).toEqual([])
    const events = recordsOf(lines).map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['staff_action', 'csp_violation', 'authorization_denied']))
    expect(events.filter((event) => event.includes('forged'))).toEqual([])
  })
})

/** Where staff and other systems may write what they like, card numbers excepted; staff are told that it is kept. */
const FREE_TEXT = new Set([
  'private.audit_log.detail',
  'private.switches.reason',
  'private.refund_requests.note',
  'private.api_orders.external_reference',
  'private.api_orders.key',
])

/** Supabase Auth's own: the address of an account, and what it notes of it. */
const OWN_COLUMNS = new Set([
  'auth.users.email',
  'auth.users.raw_user_meta_data',
  'auth.identities.email',
  'auth.identities.identity_data',
  'auth.audit_log_entries.payload',
])

/** Signed by Stripe and full of what must not stay. */
function canaryEvent(canary: string) {
  return eventOf('charge.failed', {
    object: 'charge',
    id: `ch_${randomUUID().replaceAll('-', '')}`,
    amount: 100,
    amount_captured: 0,
    captured: false,
    currency: 'eur',
    customer: null,
    description: canary,
    receipt_email: canary,
    statement_descriptor: canary,
    failure_message: canary,
    billing_details: { name: canary, email: canary, address: { line1: canary } },
    metadata: { note: canary, payment_id: canary, order_id: canary },
    payment_method_details: { type: 'card', card: { brand: 'visa', last4: '4242', number: canary } },
    payment_intent: null,
    livemode: false,
    status: 'failed',
  })
}
