import { randomUUID } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Caller, HANDLERS, type HandlerName, type HandlerRule, PAGES } from '@/lib/edge/route-table'
import { CARD_CONSENT } from '@/lib/payment-methods/consent'
import { bearer, newApiKey } from '../support/api-keys'
import { owingInvoice } from '../support/billing'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import { cookieOf, issuedMinutesAgo, signToken, tokensIn, withToken } from '../support/sessions'
import { stack } from '../support/stack-in-test'
import { REASON, voices } from '../support/staff'

const { env, serverUrls } = stack()
const [server] = serverUrls as [string]

/** Who asks, what they bring along, and as whom the app may take them. */
type Identity = { name: string; headers: Record<string, string>; is: Caller | 'nobody'; isOwner?: boolean }

/** What each handler that takes a body needs to get past the reading of it. A new one without an example is a mistake. */
const BODIES: Partial<Record<HandlerName, () => object>> = {
  'POST /api/payments/create-payment-intent': () => ({ orderId: hers.orderId }),
  'POST /api/payments/[id]/sync': () => ({}),
  'POST /api/orders/[id]/cancellation': () => ({}),
  'POST /api/privacy/exports': () => ({}),
  'POST /api/payment-methods': () => ({ consent: CARD_CONSENT.version }),
  'POST /api/payment-methods/sessions': () => ({}),
  'PUT /api/payment-methods/[id]/default': () => ({}),
  'DELETE /api/payment-methods/[id]': () => ({}),
  'POST /api/privacy/erasure': () => ({ confirm: 'delete' }),
  'POST /api/payments/[id]/refunds': () => ({
    amountMinor: 1,
    reason: 'requested_by_customer',
    note: REASON,
  }),
  'POST /api/admin/replays': () => ({ eventId: 'evt_nobodys', reason: REASON }),
  'PUT /api/admin/switches/[name]': () => ({ on: true, reason: REASON }),
  'PUT /api/admin/payment-limits/[rule]': () => ({ value: 1, version: 9999, reason: REASON }),
  'PUT /api/admin/staff/[userId]': () => ({ role: null, reason: REASON }),
  'POST /api/admin/api-keys': () => ({ name: 'matrix', scopes: ['orders:read'], reason: REASON }),
  'POST /api/admin/api-keys/[id]/revocation': () => ({ reason: REASON }),
  'POST /api/orders/[id]/claim': () => ({}),
  'POST /api/admin/payment-requests': () => ({
    customerId: randomUUID(),
    lines: [{ productId: randomUUID(), quantity: 1 }],
    reason: REASON,
  }),
  'POST /api/admin/payment-requests/[id]/cancellation': () => ({ reason: REASON }),
  'POST /api/orders': () => ({ customerId: randomUUID(), lines: [{ productId: randomUUID(), quantity: 1 }] }),
  'POST /api/billing/checkouts': () => ({ planId: randomUUID() }),
  'POST /api/billing/portal-sessions': () => ({}),
  'POST /api/billing/invoices/[id]/payment': () => ({}),
  'POST /api/session': () => ({ email: 'nobody@example.test', password: 'not a password' }),
  'POST /api/csp-reports': () => ({}),
}

let owner: Person
let hers: { orderId: string; paymentId: string; spareOrderId: string; invoiceId: string }
let identities: Identity[]

beforeAll(async () => {
  const [{ customer, support, auditor, admin }, person, ended] = await Promise.all([
    voices(),
    newPerson(),
    newPerson(),
  ])
  owner = person
  const [orderId, spareOrderId] = [await newOrder(owner.id), await newOrder(owner.id)]
  const { id: paymentId } = (await (await startPayment(owner, orderId)).json()) as { id: string }
  hers = { orderId, paymentId, spareOrderId, invoiceId: await owingInvoice(owner) }
  // Both stay: nobody goes while a payment is open.
  await startPayment(customer, await newOrder(customer.id))
  const cookie = (of: Person) => ({ cookie: of.cookie })
  identities = [
    { name: 'nobody', headers: {}, is: 'nobody' },
    { name: 'a broken cookie', headers: { cookie: 'session=base64-e30' }, is: 'nobody' },
    { name: 'a token that has run out', headers: { cookie: await expired(ended) }, is: 'nobody' },
    { name: 'a token signed by somebody else', headers: { cookie: await forged(owner) }, is: 'nobody' },
    {
      name: 'a bearer token in place of a cookie',
      headers: bearer(tokensIn(owner.cookie).accessToken),
      is: 'nobody',
    },
    { name: 'a wrong secret of the jobs', headers: bearer(randomUUID()), is: 'nobody' },
    { name: 'another system', headers: bearer((await newApiKey(admin)).secret), is: 'api_key' },
    { name: 'the jobs', headers: bearer(env.CRON_SECRET ?? ''), is: 'cron' },
    { name: 'the owner', headers: cookie(owner), is: 'customer', isOwner: true },
    { name: 'another customer', headers: cookie(customer), is: 'customer' },
    { name: 'support', headers: cookie(support), is: 'support' },
    { name: 'an auditor', headers: cookie(auditor), is: 'auditor' },
    { name: 'an admin', headers: cookie(admin), is: 'admin' },
  ]
})

async function expired(person: Person): Promise<string> {
  const cookie = await withToken(person, issuedMinutesAgo(60))
  return cookieOf({ accessToken: tokensIn(cookie).accessToken, refreshToken: 'spent' })
}

async function forged(person: Person): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const { accessToken, refreshToken } = tokensIn(person.cookie)
  const claims = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
  return cookieOf({ accessToken: await signToken(claims, await exportJWK(privateKey)), refreshToken })
}

/** The address with ids in place of its names: the owner's where they are a customer's. */
function addressOf(template: string): string {
  return template
    .replace('[paymentId]', hers.paymentId)
    .replace('[orderId]', hers.orderId)
    .replace('[invoiceId]', hers.invoiceId)
    .replace('/api/billing/invoices/[id]', `/api/billing/invoices/${hers.invoiceId}`)
    .replace('/api/orders/[id]/cancellation', `/api/orders/${hers.spareOrderId}/cancellation`)
    .replace('/switches/[name]', '/switches/payments')
    .replace('[rule]', 'amount_max')
    .replace('[userId]', randomUUID())
    .replace('[id]', template.startsWith('/api/payments') ? hers.paymentId : randomUUID())
}

async function ask(name: HandlerName, identity: Identity): Promise<Response> {
  const [method = '', template = ''] = name.split(' ')
  const body = method === 'GET' || template.startsWith('/api/cron') ? undefined : BODIES[name]?.()
  return await fetch(`${server}${addressOf(template)}`, {
    method,
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      origin: env.APP_ORIGIN ?? '',
      'idempotency-key': randomUUID(),
      ...identity.headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  })
}

const STAFF: readonly string[] = ['support', 'auditor', 'admin']

/** Which answers are right for somebody like that, as the route table has it. */
function rightAnswers(
  rule: HandlerRule,
  { is, isOwner }: Identity,
  isAboutOne: boolean,
): (status: number) => boolean {
  const callers: readonly string[] = rule.callers
  const through = (status: number) => status < 500 && status !== 401 && status !== 403
  const exactly =
    (...statuses: number[]) =>
    (status: number) =>
      statuses.includes(status)

  if (callers.includes('anyone')) return (status) => status < 500
  if (callers.includes(is) && (is !== 'customer' || isOwner || !isAboutOne)) return through
  if (callers.includes('stripe')) return exactly(400)
  if (callers.includes('cron') || callers.includes('api_key')) return exactly(401)
  if (is === 'nobody' || is === 'cron' || is === 'api_key') return exactly(401)
  // Staff are people, too: where customers may ask, they are strangers like any other.
  if (callers.includes('customer'))
    return isAboutOne ? exactly(404) : STAFF.includes(is) ? through : exactly(403)
  return exactly(403, 404)
}

describe('who gets an answer', () => {
  it('is what the route table says, for every handler and every identity (Z1, Z2)', async () => {
    const deviations: string[] = []
    let asked = 0
    for (const [name, rule] of Object.entries(HANDLERS) as [HandlerName, HandlerRule][]) {
      const [method, template = ''] = name.split(' ')
      const needsBody = method !== 'GET' && rule.maxBodyBytes > 0 && !rule.callers.includes('stripe')
      if (needsBody && !BODIES[name]) deviations.push(`${name} has no example here`)
      const isAboutOne = /\[id\]|create-payment-intent$/.test(template)
      for (const identity of identities) {
        // What a run does is tested elsewhere, and takes its time.
        if (identity.is === 'cron' && name.endsWith('reconcile')) continue
        const { status } = await ask(name, identity)
        asked++
        if (!rightAnswers(rule, identity, isAboutOne)(status))
          deviations.push(`${name} as ${identity.name}: ${status}`)
      }
    }
    console.info(
      `${asked} answers of ${Object.keys(HANDLERS).length} handlers to ${identities.length} identities`,
    )

    expect(deviations).toEqual([])
    // Six hundred requests, the jobs among them: each may work for up to 25 seconds on what earlier tests have left.
  }, 300_000)

  it('is nobody but its owner for a page about one order or payment (Z1, Z2)', async () => {
    const deviations: string[] = []
    for (const [template, rule] of Object.entries(PAGES)) {
      const isAboutOne = template.includes('[')
      for (const identity of identities) {
        const response = await fetch(`${server}${addressOf(template)}`, {
          headers: identity.headers,
          redirect: 'manual',
        })
        const isSignedIn = !['nobody', 'cron', 'api_key'].includes(identity.is)
        const callers: readonly string[] = rule.callers
        const isRight = callers.includes('anyone')
          ? response.status < 400
          : isSignedIn
            ? !isAboutOne || identity.isOwner
              ? response.status < 400
              : response.status === 404
            : response.status === 307 && response.headers.get('location')?.startsWith('/sign-in')
        if (!isRight) deviations.push(`${template} as ${identity.name}: ${response.status}`)
      }
    }

    expect(deviations).toEqual([])
  }, 120_000)
})
