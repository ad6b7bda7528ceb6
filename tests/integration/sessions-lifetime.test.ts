import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { type AuthInBetween, startAuthInBetween } from '../support/auth-in-between'
import { adminSql } from '../support/db'
import { callAction } from '../support/forms'
import { newOrder } from '../support/payment-rows'
import { newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import {
  cookieAfter,
  issuedMinutesAgo,
  type SetCookie,
  setCookies,
  signIn,
  tokensIn,
  withToken,
} from '../support/sessions'
import { startServer } from '../support/stack'
import { stack } from '../support/stack-in-test'

const { env, serverUrls } = stack()
const [server, otherServer] = serverUrls as [string, string]
const HISTORY = '/api/payments/history'

const open = (cookie: string, path = HISTORY, at = server) =>
  fetch(`${at}${path}`, { headers: { cookie }, redirect: 'manual' })

const renew = (refreshToken: string) =>
  fetch(`${env.SUPABASE_URL}/auth/v1/token?grant_type=refresh_token`, {
    method: 'POST',
    headers: { apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '', 'content-type': 'application/json' },
    body: JSON.stringify({ refresh_token: refreshToken }),
  })

const endOldSessions = (at = server) =>
  fetch(`${at}/api/cron/sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${env.CRON_SECRET}` },
  })

/** The cookies an answer takes away; it sets none. */
function cleared(response: Response): string[] {
  const cookies = setCookies(response)
  const isKept = ({ value, flags }: SetCookie) => value !== '' || !flags.get('expires')?.includes('1970')
  expect(cookies.filter(isKept)).toEqual([])
  return cookies.map(({ name }) => name)
}

const signedInMinutesAgo = (minutes: number) => ({
  amr: [{ method: 'password', timestamp: Math.floor(Date.now() / 1000) - minutes * 60 }],
})

describe('a session', () => {
  let person: Person
  beforeAll(async () => {
    person = await newPerson()
  })

  it('has tokens of ten minutes (A12)', () => {
    const { iat = 0, exp = 0 } = decodeJwt(person.accessToken)

    expect(exp - iat).toBe(600)
  })

  it('left alone for 29 minutes goes on; for 31 it is over, without asking Auth for a token (A4)', async () => {
    const [back, away] = [await newPerson(), await newPerson()]

    const goesOn = await open(await withToken(back, issuedMinutesAgo(29)))
    const over = await open(await withToken(away, issuedMinutesAgo(31)))

    expect(goesOn.status).toBe(200)
    expect(over.status).toBe(401)
    expect(cleared(over)).toContain('session')
    const [tokens] =
      await adminSql()`select count(*)::int as n from auth.refresh_tokens where user_id = ${away.id}`
    expect(tokens?.n).toBe(1)
  })

  it('is over after twelve hours, however busy, and not before (A4)', async () => {
    const within = await withToken(person, signedInMinutesAgo(12 * 60 - 1))
    const beyond = await withToken(person, signedInMinutesAgo(12 * 60 + 1))
    const renewing = await withToken(person, { ...signedInMinutesAgo(12 * 60 + 1), ...issuedMinutesAgo(11) })

    expect((await open(within)).status).toBe(200)
    expect((await open(beyond)).status).toBe(401)
    expect((await open(renewing)).status).toBe(401)
    expect((await open(beyond, '/payments')).headers.get('location')).toContain('/sign-in')
  })

  it('renewed again and again still counts from its sign-in (A4)', async () => {
    const old = await newPerson()
    const sessionId = String(decodeJwt(old.accessToken).session_id)
    await adminSql()`update auth.mfa_amr_claims set created_at = now() - interval '13 hours', updated_at = now() - interval '13 hours'
      where session_id = ${sessionId}`

    const renewed = (await (await renew(tokensIn(old.cookie).refreshToken)).json()) as {
      access_token: string
    }
    const response = await open(
      `session=base64-${Buffer.from(JSON.stringify({ ...renewed, user: undefined })).toString('base64url')}`,
    )

    expect(decodeJwt(renewed.access_token).session_id).toBe(sessionId)
    expect(response.status).toBe(401)
  })

  it('cannot be made to look young by the token of another (A4)', async () => {
    const [victim, thief] = [await newPerson(), await newPerson()]
    const young = tokensIn(await withToken(thief, issuedMinutesAgo(11))).accessToken
    const mixed = Buffer.from(
      JSON.stringify({
        access_token: young,
        refresh_token: tokensIn(victim.cookie).refreshToken,
        token_type: 'bearer',
        expires_in: 600,
        expires_at: 0,
      }),
    ).toString('base64url')

    expect((await open(`session=base64-${mixed}`)).status).toBe(401)
  })

  it.each([
    ['half an hour after it was last renewed', 31, 31],
    ['twelve hours after it began, although just renewed', 721, 0],
  ])('ends at Auth too: %s (A4)', async (_when, beganAgo, renewedAgo) => {
    const [over, fine] = [await newPerson(), await newPerson()]
    const sessionId = String(decodeJwt(over.accessToken).session_id)
    const sql = adminSql()
    await sql`update auth.sessions set created_at = now() - ${`${beganAgo} minutes`}::interval,
      refreshed_at = (now() - ${`${renewedAgo} minutes`}::interval) at time zone 'utc' where id = ${sessionId}`
    await sql`update auth.refresh_tokens set created_at = now() - ${`${renewedAgo} minutes`}::interval
      where session_id = ${sessionId}`

    const response = await endOldSessions()

    expect(await response.json()).toMatchObject({ ended: expect.any(Number) })
    expect((await renew(tokensIn(over.cookie).refreshToken)).status).toBe(400)
    expect((await renew(tokensIn(fine.cookie).refreshToken)).status).toBe(200)
  })
})

describe('signing out', () => {
  it('ends the session at Auth: its old token is refused wherever money moves (A5, A6)', async () => {
    const person = await newPerson()
    const orderId = await newOrder(person.id)

    const out = await callAction('signOutAction', { cookie: person.cookie })

    expect(cleared(out)).toContain('session')
    const paying = await startPayment(person, orderId)
    expect(paying.status).toBe(401)
    expect(await paying.json()).toMatchObject({ error: { code: 'sign_in_required' } })
    expect((await renew(tokensIn(person.cookie).refreshToken)).status).toBe(400)
  })

  it('everywhere ends all sessions of a person: each is refused at once on every server (A6, Z20)', async () => {
    const person = await newPerson()
    const second = { ...person, cookie: cookieAfter(await signIn(person)) }
    const orderId = await newOrder(person.id)
    await fetch(`${env.SUPABASE_URL}/auth/v1/logout?scope=global`, {
      method: 'POST',
      headers: { apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '', authorization: `Bearer ${person.accessToken}` },
    })

    for (const at of [server, otherServer])
      for (const one of [person, second])
        expect((await startPayment(one, orderId, { server: at })).status).toBe(401)
  })

  it('being banned acts at once wherever money moves, and no new token is given (Z20)', async () => {
    const person = await newPerson()
    const orderId = await newOrder(person.id)
    await adminSql()`update auth.users set banned_until = now() + interval '1 hour' where id = ${person.id}`

    expect((await startPayment(person, orderId)).status).toBe(401)
    expect((await open(await withToken(person, issuedMinutesAgo(11)))).status).toBe(401)
    expect((await signIn(person)).status).toBe(401)
  })

  it('every private page forbids keeping it (A5)', async () => {
    const person = await newPerson()
    for (const path of [
      '/payments',
      '/confirm-password',
      '/new-password',
      `/orders/${await newOrder(person.id)}`,
    ]) {
      const response = await open(person.cookie, path)
      expect(response.status, path).toBe(200)
      expect(response.headers.get('cache-control'), path).toContain('no-store')
    }
  })
})

describe('renewing a token that has run out', () => {
  let person: Person
  let auth: AuthInBetween
  let url: string
  let stop: () => Promise<void>

  beforeAll(async () => {
    person = await newPerson()
    auth = await startAuthInBetween()
    const port = await freePort()
    url = `http://localhost:${port}`
    const running = startServer(port, { ...env, SUPABASE_URL: auth.url })
    stop = () => running.stop()
    await waitUntilReady(url, 60_000)
  })
  afterAll(async () => {
    await stop?.()
    await auth?.close()
  })

  /** A token names the address of Auth, which for that server is the one in between. */
  const atAuthInBetween = (one: Person) =>
    withToken(one, { ...issuedMinutesAgo(11), iss: `${auth.url}/auth/v1` })

  it('thirty requests at once, over two servers, sign nobody out and renew once or twice (A12)', async () => {
    const person = await newPerson()
    const cookie = await withToken(person, issuedMinutesAgo(11))

    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => open(cookie, HISTORY, index % 2 ? server : otherServer)),
    )

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const [tokens] =
      await adminSql()`select count(*)::int as n from auth.refresh_tokens where user_id = ${person.id}`
    expect(Number(tokens?.n) - 1).toBe(1)
    const after = new Set(answers.map(cookieAfter))
    expect(after.has('')).toBe(false)
    for (const one of after) expect((await open(one)).status).toBe(200)
  })

  it('refused by Auth signs out once: the cookie goes, and nothing is asked again (A12)', async () => {
    auth.answerRenewals(400)
    const cookie = await atAuthInBetween(person)
    const before = auth.renewals()

    const page = await open(cookie, '/payments', url)
    const next = await open('', page.headers.get('location') ?? '', url)

    expect(page.status).toBe(307)
    expect(cleared(page)).toContain('session')
    expect(next.status).toBe(200)
    expect(auth.renewals() - before).toBe(1)
  })

  it.each([503, 'hang'] as const)(
    'answered with %s by Auth signs nobody out, and is tried once (A12)',
    async (fault) => {
      auth.answerRenewals(fault)
      const someone = await newPerson()
      const openAll = async (cookie: string) => {
        const startedAt = Date.now()
        const answers = await Promise.all(
          [HISTORY, HISTORY, '/payments'].map((path) => open(cookie, path, url)),
        )
        return { answers, ms: Date.now() - startedAt }
      }
      // With a token that needs no renewal: how long this machine takes to answer at all.
      const { ms: usualMs } = await openAll(await withToken(someone, { iss: `${auth.url}/auth/v1` }))
      const cookie = await atAuthInBetween(someone)
      const before = auth.renewals()

      const { answers, ms } = await openAll(cookie)

      expect(answers.slice(0, 2).map(({ status }) => status)).toEqual([503, 503])
      expect(answers[0]?.headers.get('retry-after')).toBe('5')
      expect(answers[2]?.headers.get('location')).toBeNull()
      expect(answers.flatMap(setCookies)).toEqual([])
      expect(auth.renewals() - before).toBe(1)
      expect(ms).toBeLessThan(usualMs + 5_000)
    },
  )
})
