import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import { beforeAll, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import { stack } from '../support/stack-in-test'

const { env, serverUrls } = stack()
const [server] = serverUrls as [string]

type Owned = { orderId: string; paymentId: string }

async function withPayment(person: Person): Promise<Owned> {
  const orderId = await newOrder(person.id)
  const response = await startPayment(person, orderId)
  const { id } = (await response.json()) as { id: string }
  return { orderId, paymentId: id }
}

/** PostgREST as the person could call it with a token taken out of a cookie. */
function rest(person: Person | null, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${env.SUPABASE_URL}/rest/v1/${path}`, {
    ...init,
    headers: {
      apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '',
      'content-type': 'application/json',
      ...(person ? { authorization: `Bearer ${person.accessToken}` } : {}),
      ...init.headers,
    },
  })
}

describe('what one customer can reach of another', () => {
  let ada: Person
  let bob: Person
  let his: Owned
  let hers: Owned
  let relations: string[]
  let functions: string[]

  beforeAll(async () => {
    ;[ada, bob] = await Promise.all([newPerson(), newPerson()])
    ;[hers, his] = [await withPayment(ada), await withPayment(bob)]
    const tables = await adminSql()`
      select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'private', 'service', 'auth') and c.relkind in ('r', 'v', 'm', 'p')`
    relations = tables.map((row) => String(row.name))
    const procedures = await adminSql()`
      select distinct n.nspname || '.' || p.proname as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('public', 'private', 'service')`
    functions = procedures.map((row) => String(row.name))
  })

  it('shows each of them their own rows through supabase-js', async () => {
    const client = createClient(env.SUPABASE_URL ?? '', env.SUPABASE_PUBLISHABLE_KEY ?? '', {
      accessToken: async () => ada.accessToken,
    })

    const payments = await client.from('payments').select('id')
    const orders = await client.from('orders').select('id, order_lines(name)')

    expect(payments.data).toEqual([{ id: hers.paymentId }])
    expect(orders.data).toMatchObject([{ id: hers.orderId, order_lines: [{ name: 'Field notebook' }] }])
  })

  it("gives none of the other's rows away, whatever is asked of any table (Z3)", async () => {
    const marks = [bob.id, bob.email, his.orderId, his.paymentId]
    const questions = (table: string) => [
      table,
      `${table}?select=*`,
      `${table}?select=id`,
      `${table}?id=eq.${his.paymentId}`,
      `${table}?id=eq.${his.orderId}`,
      `${table}?id=in.(${his.orderId},${his.paymentId})`,
      `${table}?or=(id.eq.${his.paymentId},id.not.is.null)`,
      `${table}?select=id&user_id=eq.${bob.id}`,
      `${table}?select=count`,
      `${table}?select=id,orders(*)`,
      `${table}?select=id,payments(id),order_lines(*),customers(*)`,
    ]
    const leaks: string[] = []

    for (const relation of relations) {
      const [schema = '', table = ''] = relation.split('.')
      const ways: Record<string, string>[] = [
        {},
        { accept: 'text/csv' },
        { prefer: 'count=exact' },
        { 'accept-profile': schema },
      ]
      const asked = questions(table).flatMap((question) => ways.map((headers) => ({ question, headers })))
      await Promise.all(
        asked.map(async ({ question, headers }) => {
          const response = await rest(ada, question, { headers })
          const text = await response.text()
          const what = `${question} ${JSON.stringify(headers)}`
          if (marks.some((mark) => text.includes(mark))) leaks.push(`${what}: ${text.slice(0, 200)}`)
          // A count says how many rows there are: hers are one.
          const count = Number(response.headers.get('content-range')?.split('/')[1] ?? 0)
          if (count > 1) leaks.push(`${what}: ${count} rows`)
        }),
      )
    }

    expect(leaks).toEqual([])
  }, 120_000)

  it('lets nobody write to any table, not even to their own rows (Z3)', async () => {
    const allowed: string[] = []
    for (const relation of relations.filter((name) => !name.startsWith('auth.'))) {
      const [schema = '', table = ''] = relation.split('.')
      const headers = { 'content-profile': schema, prefer: 'return=representation' }
      const writes: [string, RequestInit][] = [
        [table, { method: 'POST', body: '{}' }],
        [table, { method: 'POST', body: '{}', headers: { prefer: 'resolution=merge-duplicates' } }],
        [
          `${table}?id=eq.${hers.paymentId}`,
          { method: 'PATCH', body: JSON.stringify({ status: 'succeeded' }) },
        ],
        [`${table}?id=eq.${hers.orderId}`, { method: 'PATCH', body: JSON.stringify({ total_minor: 1 }) }],
        [`${table}?id=eq.${hers.orderId}`, { method: 'DELETE' }],
      ]
      for (const [path, init] of writes) {
        const response = await rest(ada, path, { ...init, headers: { ...headers, ...init.headers } })
        if (response.status < 400) allowed.push(`${init.method} ${relation}: ${response.status}`)
      }
    }

    expect(allowed).toEqual([])
  })

  it.each([
    ['amount', { amount_minor: 1 }],
    ['status', { status: 'succeeded' }],
    ['owner', { customer_id: randomUUID() }],
  ])('answers 403 with 42501 to a change of the %s of a payment (Z5)', async (_what, change) => {
    const response = await rest(ada, `payments?id=eq.${hers.paymentId}`, {
      method: 'PATCH',
      body: JSON.stringify(change),
    })

    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ code: '42501' })
  })

  it('lets nobody call a function of ours (Z3)', async () => {
    const called: string[] = []
    for (const name of functions) {
      const [schema = '', fn = ''] = name.split('.')
      for (const person of [ada, null]) {
        const response = await rest(person, `rpc/${fn}`, {
          method: 'POST',
          body: JSON.stringify({
            p_actor: bob.id,
            p_livemode: false,
            p_limit: 1,
            p_payment_id: his.paymentId,
          }),
          headers: { 'content-profile': schema },
        })
        if (response.status < 400) called.push(name)
      }
    }

    expect(functions.length).toBeGreaterThan(20)
    expect(called).toEqual([])
  })

  it('gives whoever is not signed in nothing at all (Z4)', async () => {
    for (const relation of relations.filter((name) => name.startsWith('public.'))) {
      const response = await rest(null, `${relation.split('.')[1]}?select=*`)
      expect(response.status, relation).toBe(401)
    }
  })

  it("answers for somebody else's payment exactly as for one that does not exist", async () => {
    const ask = async (path: string, method = 'GET') => {
      const response = await fetch(`${server}${path}`, {
        method,
        headers: { cookie: ada.cookie, origin: env.APP_ORIGIN ?? '' },
      })
      return { status: response.status, error: { ...(await response.json()).error, requestId: '' } }
    }
    const nobodys = randomUUID()

    for (const [theirs, unknown] of [
      [await ask(`/api/payments/${his.paymentId}`), await ask(`/api/payments/${nobodys}`)],
      [
        await ask(`/api/payments/${his.paymentId}/sync`, 'POST'),
        await ask(`/api/payments/${nobodys}/sync`, 'POST'),
      ],
      [await ask('/api/payments/pi_something'), await ask(`/api/payments/${nobodys}`)],
    ] as const) {
      expect(theirs.status).toBe(404)
      expect(theirs).toEqual(unknown)
    }
  })

  it("lists a person's own payments page by page, newest first, each once", async () => {
    const eager = await newPerson()
    const made = []
    for (let n = 0; n < 7; n++) made.push((await withPayment(eager)).paymentId)
    const seen: string[] = []
    let cursor: string | null = ''

    while (cursor !== null) {
      const query: string = cursor === '' ? '?limit=3' : `?limit=3&cursor=${cursor}`
      const response = await fetch(`${server}/api/payments/history${query}`, {
        headers: { cookie: eager.cookie },
      })
      expect(response.status).toBe(200)
      expect(response.headers.get('cache-control')).toContain('no-store')
      const page = (await response.json()) as { payments: { id: string }[]; nextCursor: string | null }
      seen.push(...page.payments.map((payment) => payment.id))
      cursor = page.nextCursor
    }

    expect(seen).toEqual(made.toReversed())
  })

  it('refuses a cursor that is not ours and an unknown parameter', async () => {
    for (const query of [
      '?cursor=abc',
      `?cursor=${Buffer.from('["2026-01-01","x"]').toString('base64url')}`,
      '?limit=0',
      '?limit=1000',
      '?user=1',
    ]) {
      const response = await fetch(`${server}/api/payments/history${query}`, {
        headers: { cookie: ada.cookie },
      })
      expect(response.status, query).toBe(400)
    }
  })

  it('answers 401 without a session, with a broken one, and with a token of another issuer', async () => {
    const [, payload = ''] = ada.accessToken.split('.')
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`
    const session = (token: string) =>
      `session=base64-${Buffer.from(
        JSON.stringify({
          access_token: token,
          refresh_token: 'x',
          expires_at: 4102444800,
          expires_in: 900,
          token_type: 'bearer',
        }),
      ).toString('base64url')}`

    for (const cookie of ['', 'session=garbage', session(unsigned), session(`${ada.accessToken}x`)]) {
      const response = await fetch(`${server}/api/payments/history`, { headers: { cookie } })
      expect(response.status, cookie.slice(0, 40)).toBe(401)
    }
    const control = await fetch(`${server}/api/payments/history`, {
      headers: { cookie: session(ada.accessToken) },
    })
    expect(control.status).toBe(200)
  })
})
