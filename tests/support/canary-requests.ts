import { randomUUID } from 'node:crypto'
import { HANDLERS, type HandlerName } from '@/lib/edge/route-table'
import { bearer, customer, line, newApiKey, newName, placeOrder } from './api-keys'
import { asHeader, CANARY } from './canaries'
import { adminSql } from './db'
import { newStaff, type Paid } from './paid'
import { newUserRow } from './payment-rows'
import type { Person } from './people'
import { post, refund, untilAnswered } from './requests'
import { stack } from './stack-in-test'
import { putLimit, setSwitch } from './staff'

type At = { server: string; headers: Record<string, string> }

/** Every name of a field that any address takes. */
const FIELDS = [
  'amountMinor',
  'confirm',
  'consent',
  'countries',
  'currency',
  'customerId',
  'email',
  'eventId',
  'expiresAt',
  'format',
  'from',
  'lines',
  'name',
  'note',
  'on',
  'orderId',
  'password',
  'reason',
  'reference',
  'role',
  'scopes',
  'status',
  'to',
  'type',
  'until',
  'value',
  'version',
  'windowSeconds',
]

/** Asks every handler of the route table, one that comes later included, with a text wherever a text can stand. */
export async function askEverywhere(text: string, by: Person, { server, headers }: At): Promise<Response[]> {
  const encoded = encodeURIComponent(text)
  const body = Object.fromEntries([...FIELDS, text].map((name) => [name, text]))
  return await Promise.all(
    (Object.keys(HANDLERS) as HandlerName[]).map((name) => {
      const [method = '', address = ''] = name.split(' ')
      const query = ['q', 'cursor', 'limit', ...FIELDS].map((field) => `${field}=${encoded}`).join('&')
      return fetch(`${server}${address.replace(/\[\w+\]/g, encoded)}?${query}`, {
        method,
        redirect: 'manual',
        headers: {
          ...headers,
          'content-type': 'application/json',
          origin: stack().appOrigin,
          cookie: by.cookie,
          'idempotency-key': asHeader(text),
          authorization: `Bearer ${asHeader(text)}`,
        },
        ...(method !== 'GET' && { body: JSON.stringify(body) }),
      })
    }),
  )
}

/** What staff, other systems and browsers send that is understood, with the text wherever they may write what they like. */
export async function sayAccepted(text: string, bought: Paid, at: At): Promise<Response[]> {
  const admin = await newStaff('admin')
  const { secret, apiKey } = await newApiKey(admin)
  const reason = text.slice(0, 500)
  const answers = [
    await setSwitch(admin, 'refunds', false, at),
    await post('/api/admin/switches/refunds', admin, { on: true, reason }, { ...at, method: 'PUT' }),
    await post('/api/admin/api-keys', admin, { name: newName(), scopes: ['orders:read'], reason }, at),
    await post(
      `/api/admin/staff/${await newUserRow()}`,
      admin,
      { role: 'auditor', reason },
      { ...at, method: 'PUT' },
    ),
    await putLimit(admin, 'amount_min', { currency: 'isk', value: 100, version: 0, reason }, at),
    await post('/api/admin/replays', admin, { eventId: await anEventOf(bought), reason }, at),
    // Refunds wait while Redis is away, and it is when so many ask it at once on a slow machine.
    await untilAnswered((key) =>
      refund(admin, bought.paymentId, { reason: 'duplicate', amountMinor: 1, note: reason }, { ...at, key }),
    ),
    await placeOrder(
      secret,
      { customerId: (await customer()).customerId, lines: [line()], reference: text.trim().slice(0, 100) },
      { ...at, key: `${encodeURIComponent(text).slice(0, 200)}${randomUUID()}` },
    ),
    await fetch(`${at.server}/api/orders/${randomUUID()}?q=${encodeURIComponent(text)}`, {
      headers: { ...at.headers, ...bearer(secret) },
    }),
    await post(`/api/admin/api-keys/${apiKey.id}/revocation`, admin, { reason }, at),
    ...(await reportToUs(text, at)),
  ]
  await adminSql()`delete from private.payment_limits where currency = 'isk'`
  await adminSql()`delete from private.switches where name = 'refunds'`
  return answers
}

/** Both forms of a report of a broken policy. Where it came from is what it is logged for, so the host says nothing here. */
function reportToUs(text: string, { server, headers }: At): Promise<Response[]> {
  const encoded = encodeURIComponent(text)
  const blocked = `https://somebody:${encoded}@evil.test/${encoded}?q=${encoded}#${encoded}`
  const page = `${stack().appOrigin}/orders/${encoded}?q=${encoded}`
  // Nothing in it that the log would withhold for its form alone.
  const elsewhere = `${stack().appOrigin}/orders/${CANARY.cookie}`
  const report = (type: string, body: object) =>
    fetch(`${server}/api/csp-reports`, {
      method: 'POST',
      headers: { ...headers, 'content-type': type, 'user-agent': asHeader(text) },
      body: JSON.stringify(body),
    })
  return Promise.all([
    report('application/reports+json', [
      {
        type: 'csp-violation',
        url: page,
        user_agent: text,
        body: { effectiveDirective: 'script-src', blockedURL: blocked, documentURL: page, sample: text },
      },
      { type: 'csp-violation', body: { effectiveDirective: text, blockedURL: text, documentURL: elsewhere } },
    ]),
    report('application/csp-report', {
      'csp-report': {
        'violated-directive': `img-src ${text}`,
        'blocked-uri': blocked,
        'document-uri': page,
        'script-sample': text,
      },
    }),
  ])
}

/** One that can be replayed: others of the database may be kept without what they said. */
async function anEventOf({ intentId }: Paid): Promise<string> {
  const [row] = await adminSql()`
    select event_id as id from private.webhook_events where not livemode and status = 'processed' and payload is not null
      and ${intentId} in (object_id, payload -> 'object' ->> 'payment_intent') limit 1`
  return String(row?.id)
}
