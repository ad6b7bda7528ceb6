import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asHeader, canariesIn, EVERY_CANARY } from '../support/canaries'
import { raising } from '../support/database-text'
import { adminSql } from '../support/db'
import { callAction, sendForm } from '../support/forms'
import { type LogRecord, recordsOf } from '../support/log-lines'
import { from, type LoggedServers, startLoggedServers } from '../support/logged-servers'
import { newStaff, paid } from '../support/paid'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { post, refund, startPayment } from '../support/requests'
import { signIn, withToken } from '../support/sessions'
import { stack } from '../support/stack-in-test'
import { eventOf, postEvent } from '../support/stripe-events'

const { env } = stack()
const secret = env.STRIPE_WEBHOOK_SECRET ?? ''

describe('what the servers write', () => {
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

  /** What is written on behalf of `act`. */
  async function recordsDuring(act: () => Promise<unknown>): Promise<LogRecord[]> {
    const before = servers.lines.length
    await act()
    await servers.allIsWritten()
    return recordsOf(servers.lines.slice(before))
  }

  const failAt = (place: string) => ({
    'x-test-fail': place,
    'x-test-secret': EVERY_CANARY.map(asHeader).join(' '),
  })

  it.each(['page', 'route', 'action', 'print'])(
    'an error with secrets in it, thrown in a %s, is one record without them (L3)',
    async (place) => {
      const headers = { ...from('198.51.100.7'), ...failAt(place), cookie: ada.cookie }

      const records = await recordsDuring(async () => {
        const response =
          place === 'action'
            ? await sendForm('/', { quantity: '1' }, { server: first, cookie: ada.cookie, headers })
            : await fetch(`${first}${place === 'route' ? '/api/payments/history' : '/'}`, { headers })
        const text = await response.text()
        expect(canariesIn(text)).toEqual([])
      })

      const written = JSON.stringify(records)
      expect(canariesIn(written)).toEqual([])
      const failures = records.filter(
        ({ event }) => event === (place === 'print' ? 'printed' : 'request_failed'),
      )
      expect(failures.length, written).toBeGreaterThanOrEqual(1)
      if (place === 'print') return
      expect(failures[0]).toMatchObject({ level: 'error', error: 'Error', requestId: expect.any(String) })
      expect(
        records.filter(({ event }) => event === 'printed'),
        'told once',
      ).toEqual([])
    },
  )

  it('the request id goes through every layer and back to the client (L5)', async () => {
    const orderId = await newOrder(ada.id)
    let id: string | null = null

    const records = await recordsDuring(async () => {
      const created = await startPayment(ada, orderId, { server: first })
      const { id: paymentId } = (await created.json()) as { id: string }
      const read = await fetch(`${first}/api/payments/${paymentId}`, {
        headers: { cookie: ada.cookie, 'x-request-id': randomUUID() },
      })
      id = read.headers.get('x-request-id')
    })

    expect(records.filter(({ event }) => event === 'payment_read')).toMatchObject([
      { requestId: id, actorId: ada.id, category: 'access' },
    ])
  })

  it('names the Stripe event in every record of its delivery (L5)', async () => {
    const event = eventOf('customer.updated', { object: 'customer', id: 'cus_1' })

    const records = await recordsDuring(() => postEvent(first, event, { secret }))

    expect(records).toMatchObject([{ event: 'event_applied', eventId: event.id, outcome: 'ignored' }])
  })

  it('a page that failed shows the number under which the log has it', async () => {
    const headers = { ...from('198.51.100.8'), cookie: ada.cookie }
    const { paymentId } = await paid({ person: ada })
    const [{ definition } = { definition: '' }] = await adminSql()<{ definition: string }[]>`
      select pg_get_functiondef('service.payment_timeline'::regproc) as definition`
    await adminSql().unsafe(raising(definition, '53300'))
    let text = ''
    let id: string | null = null

    const records = await recordsDuring(async () => {
      const response = await fetch(`${first}/payments/${paymentId}`, { headers })
      id = response.headers.get('x-request-id')
      text = await response.text()
    }).finally(() => adminSql().unsafe(definition))

    expect(records.filter(({ event }) => event === 'request_failed')).toMatchObject([
      {
        requestId: id,
        actorId: ada.id,
        route: expect.stringContaining('[paymentId]'),
        code: 'unavailable',
        cause: '53300',
      },
    ])
    expect(text).toContain(String(id))
    expect(text).not.toContain('canary')
  })

  it('each security event is one record (L6)', async () => {
    const address = from('198.51.100.9')
    const staff = await newStaff('support')
    const { paymentId } = await paid()
    const customer = await newPerson()
    const signInWith = (password: string) =>
      signIn({ email: customer.email, password }, { server: first, headers: address })
    const cases: Record<string, () => Promise<unknown>> = {
      signed_in: () => signInWith(customer.password),
      sign_in_failed: () => signInWith('not the password'),
      authorization_denied: () => refund(ada, paymentId, { reason: 'duplicate' }, { server: first }),
      foreign_origin_refused: () =>
        post(
          `/api/payments/${paymentId}/sync`,
          ada,
          {},
          { server: first, headers: { origin: 'https://evil.test' } },
        ),
      signature_refused: () =>
        postEvent(first, eventOf('x.y', { object: 'x' }), { secret: 'whsec_thewrongone' }),
      staff_action: () =>
        refund(staff, paymentId, { reason: 'duplicate', amountMinor: 1 }, { server: first }),
      session_ended: () =>
        callAction('signOutAction', { server: first, cookie: customer.cookie, headers: address }),
    }

    for (const [event, act] of Object.entries(cases)) {
      const records = await recordsDuring(act)
      const security = records.filter(({ category }) => category === 'security')
      expect(
        security.map((record) => record.event),
        event,
      ).toEqual([event])
      expect(security[0]?.requestId, event).toEqual(expect.any(String))
    }
  })

  it('a new password, set after following a mail, is one record, and the end of the other sessions another (L6)', async () => {
    const person = await newPerson()
    const cookie = await withToken(person, {
      amr: [{ method: 'otp', timestamp: Math.floor(Date.now() / 1000) }],
    })
    const password = `a new one ${randomUUID()}`

    const records = await recordsDuring(() =>
      sendForm('/new-password', { password }, { server: first, cookie, headers: from('198.51.100.11') }),
    )

    const security = records.filter(({ category }) => category === 'security')
    expect(security).toMatchObject([
      { event: 'password_changed', actorId: person.id, requestId: expect.any(String) },
      { event: 'session_ended', actorId: person.id, reason: 'password_changed' },
    ])
    expect(JSON.stringify(records)).not.toContain(password)
  })

  it('each refusal of a limit is one record (L6)', async () => {
    const flood = { ...from('198.51.100.10'), origin: stack().appOrigin }
    const statuses: number[] = []

    const records = await recordsDuring(async () => {
      // Twice the limit and one: some are refused also when a new minute begins meanwhile.
      for (let n = 0; n < 41; n++)
        statuses.push((await fetch(`${first}/sign-in`, { method: 'POST', headers: flood })).status)
    })

    const refused = statuses.filter((status) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(records.filter(({ event }) => event === 'limit_hit')).toHaveLength(refused.length)
  })

  it('a rejection nobody waits for is one record, and the server lives (C14)', async () => {
    const records = await recordsDuring(() =>
      fetch(`${second}/api/health?live`, { headers: failAt('rejection') }),
    )

    expect(records).toMatchObject([{ level: 'error', event: 'unhandled_rejection', error: 'Error' }])
    expect((await fetch(`${second}/api/health?live`)).status).toBe(200)
  })

  it('an exception nobody caught is one record, and the process ends for a restart (C14)', async () => {
    const records = await recordsDuring(async () => {
      await fetch(`${second}/api/health?live`, { headers: failAt('exception') }).catch(() => null)
      expect(await servers.leashes[1]?.exited).toBe(1)
    })

    expect(records.filter(({ level }) => level === 'error')).toMatchObject([
      { event: 'uncaught_exception', error: 'Error' },
    ])
    expect(canariesIn(JSON.stringify(records))).toEqual([])
  })

  it('every line of all this was one record in UTC (L5)', () => {
    expect(recordsOf(servers.lines).length).toBeGreaterThan(30)
  })
})
