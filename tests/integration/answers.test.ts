import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { raising } from '../support/database-text'
import { adminSql } from '../support/db'
import { sendForm } from '../support/forms'
import { newPerson, type Person } from '../support/people'
import { post } from '../support/requests'
import { stack } from '../support/stack-in-test'

const { env, serverUrls, appOrigin } = stack()
const [server] = serverUrls as [string]

const ODD_TEXTS = [
  "' or 1=1 --",
  '"; drop table payments; --',
  '../../etc/passwd',
  '{{7*7}}',
  '%00',
  'x'.repeat(5_000),
  'null',
  '-1',
  '1e999',
  '🂡',
]
const ODD_BODIES = [
  '',
  '{',
  '[]',
  'null',
  '"text"',
  '{"orderId": 1}',
  '{"orderId": {"$ne": null}}',
  '{"orderId": "x", "orderId": "y"}',
  '{"__proto__": {"admin": true}}',
  '['.repeat(5_000),
  `{"orderId": "${'x'.repeat(70_000)}"}`,
  `{"orderId": "${randomUUID()}", "amount": 1e400}`,
]

/** What would tell how it is made or where it went wrong. */
const INSIDE =
  /\n\s+at |PGRST|relation|violates|syntax error|node_modules|\.next\/server|\/app\/|postgres|supabase|stack|zod|16\.4\.6|PostgREST|SQLSTATE/i

/** Text a person wrote in our pages may well say what an error must not. */
function visibleText(html: string): string {
  return html.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<[^>]+>/g, ' ')
}

describe('what a client is told when something is wrong (L4)', () => {
  let ada: Person
  const routes = ['create-payment-intent', `${randomUUID()}/sync`, `${randomUUID()}/refunds`, 'webhook']

  beforeAll(async () => {
    ada = await newPerson()
  })

  async function expectBare(response: Response, what: string): Promise<void> {
    const text = await response.text()
    if (response.headers.get('content-type')?.includes('json')) {
      expect(text, what).not.toMatch(INSIDE)
      const body = JSON.parse(text)
      if (response.ok) return
      expect(Object.keys(body), what).toEqual(['error'])
      expect(Object.keys(body.error).toSorted(), what).toEqual(['code', 'message', 'requestId'])
      expect(body.error.requestId, what).toBe(response.headers.get('x-request-id'))
    } else {
      expect(visibleText(text), what).not.toMatch(INSIDE)
    }
    expect(response.headers.get('x-powered-by'), what).toBeNull()
    expect(response.headers.get('server'), what).toBeNull()
  }

  it.each(routes)('%s answers odd bodies with a code and a request id', async (path) => {
    for (const body of ODD_BODIES) {
      const response = await post(`/api/payments/${path}`, ada, body, { server })

      expect(response.status, body.slice(0, 40)).toBeGreaterThanOrEqual(400)
      expect(response.status, body.slice(0, 40)).toBeLessThan(500)
      await expectBare(response, `${path} ${body.slice(0, 40)}`)
    }
  })

  it('odd ids, queries, methods and headers are answered the same way', async () => {
    const paths = [
      (odd: string) => `/api/payments/${odd}`,
      (odd: string) => `/api/payments/history?cursor=${odd}`,
      (odd: string) => `/api/payments/history?limit=${odd}`,
      (odd: string) => `/api/${odd}`,
      (odd: string) => `/payments/${odd}`,
      (odd: string) => `/orders/${odd}`,
      (odd: string) => `/payments?cursor=${odd}`,
      (odd: string) => `/${odd}`,
    ]
    for (const odd of ODD_TEXTS) {
      const encoded = odd.startsWith('%') ? odd : encodeURIComponent(odd)
      await Promise.all(
        paths.map(async (pathOf) => {
          const response = await fetch(`${server}${pathOf(encoded)}`, {
            headers: { cookie: ada.cookie },
            redirect: 'manual',
          })

          expect(response.status, pathOf(odd).slice(0, 60)).toBeLessThan(500)
          await expectBare(response, pathOf(odd).slice(0, 60))
        }),
      )
    }
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const response = await fetch(`${server}/api/payments/history`, {
        method,
        headers: { origin: appOrigin },
      })

      expect(response.status).toBe(405)
    }
  })

  it('the jobs tell nothing to whoever is not the scheduler', async () => {
    for (const job of ['sweep', 'seal', 'reconcile', 'outbox', 'cards']) {
      for (const authorization of ['', 'Bearer x', `Bearer ${env.CRON_SECRET}x`, 'Basic ='])
        await expectBare(
          await fetch(`${server}/api/cron/${job}`, { method: 'POST', headers: { authorization } }),
          job,
        )
    }
  })

  it('forms answer odd fields with words of ours', async () => {
    for (const odd of ODD_TEXTS.slice(0, 6)) {
      const response = await sendForm('/', { productId: odd, quantity: odd }, { server, cookie: ada.cookie })

      expect(response.status).toBe(200)
      await expectBare(response, odd)
    }
  })

  it('a fault inside the database comes out as a code (L4)', async () => {
    const [{ definition } = { definition: '' }] = await adminSql()<{ definition: string }[]>`
      select pg_get_functiondef('service.payment_timeline'::regproc) as definition`
    await adminSql().unsafe(raising(definition, 'XX000'))
    try {
      const response = await fetch(`${server}/api/payments/${randomUUID()}`, {
        headers: { cookie: ada.cookie },
      })
      const page = await fetch(`${server}/payments/${randomUUID()}`, { headers: { cookie: ada.cookie } })

      expect(response.status).toBe(500)
      expect(await response.clone().text()).not.toContain('canary')
      await expectBare(response, 'API')
      const html = await page.text()
      expect(html).not.toContain('canary')
      expect(visibleText(html)).not.toMatch(INSIDE)
      expect(page.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    } finally {
      await adminSql().unsafe(definition)
    }
  })
})

describe('the database', () => {
  it('has no function that looks at the headers of a request (L8)', async () => {
    const rows = await adminSql()`
      select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname in ('public', 'private', 'service') and p.prosrc ~* 'request\\.(headers|cookies)|current_setting\\(.request\\.h'`

    expect(rows).toEqual([])
  })
})
