import { randomUUID } from 'node:crypto'
import { createClient } from '@supabase/supabase-js'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminSql } from '../support/db'
import { type EdgeServer, startEdgeServer } from '../support/edge-server'
import { callAction, sendForm } from '../support/forms'
import { newOrder } from '../support/payment-rows'
import { mailedToken, newPassword, newPerson, type Person } from '../support/people'
import {
  cookieAfter,
  cookieOf,
  issuedMinutesAgo,
  setCookies,
  signIn,
  signToken,
  tokensIn,
  withToken,
} from '../support/sessions'
import { stack } from '../support/stack-in-test'

const { env, serverUrls, mailboxUrl } = stack()
const [server] = serverUrls as [string]

let ada: Person

beforeAll(async () => {
  ada = await newPerson()
})

describe('over https', () => {
  const origin = 'https://localhost:3443'
  let edge: EdgeServer

  beforeAll(async () => {
    edge = await startEdgeServer({ APP_ORIGIN: origin })
  })
  afterAll(() => edge?.stop())

  it('every cookie of signing up, in, recovering, renewing and out is bound to this host and hidden (A1)', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.10' }
    const at = { server: edge.url, headers: { ...headers, origin } }
    const email = `${randomUUID()}@example.test`
    const person = { email, password: newPassword() }

    const answers = [await sendForm('/sign-up', person, at)]
    const confirmed = await sendForm(
      `/auth/confirm?token_hash=${await mailedToken(mailboxUrl, email)}&type=email`,
      { tokenHash: await mailedToken(mailboxUrl, email), type: 'email' },
      at,
    )
    const signedIn = await signIn(person, {
      server: edge.url,
      headers: { ...headers, origin },
      cookie: cookieAfter(confirmed),
    })
    const cookie = cookieAfter(signedIn)
    answers.push(confirmed, signedIn, await sendForm('/forgotten-password', { email }, at))
    const token = await signToken({ ...decodeJwt(tokensIn(cookie).accessToken), ...issuedMinutesAgo(11) })
    const old = cookieOf({ ...tokensIn(cookie), accessToken: token }, '__Host-session')
    const renewed = await fetch(`${edge.url}/payments`, { headers: { ...headers, cookie: old } })
    const ended = await fetch(`${edge.url}/payments`, {
      headers: {
        ...headers,
        cookie: '__Host-session=garbage; __Host-session.0=x; __Host-session-code-verifier=y',
      },
      redirect: 'manual',
    })
    const signedOut = await callAction('signOutAction', { ...at, cookie: cookieAfter(renewed) })
    answers.push(renewed, ended, signedOut)

    const cookies = answers.flatMap(setCookies)
    const kinds = answers.map(
      (one) => new Set(setCookies(one).map(({ name, value }) => `${name}=${value && '…'}`)),
    )
    const set = ['__Host-session=…']
    const cleared = ['__Host-session=', '__Host-session.0=', '__Host-session-code-verifier=']
    expect(kinds.map((kind) => [...kind])).toEqual([[], set, set, [], set, cleared, ['__Host-session=']])
    for (const { name, flags } of cookies) {
      expect(flags.has('httponly'), name).toBe(true)
      expect(flags.has('secure'), name).toBe(true)
      expect(flags.get('samesite')?.toLowerCase(), name).toBe('lax')
      expect(flags.get('path'), name).toBe('/')
      expect(flags.has('domain'), name).toBe(false)
      expect(Number(flags.get('max-age') ?? 0), name).toBeLessThanOrEqual(12 * 60 * 60)
    }
    for (const answer of answers.filter((one) => setCookies(one).length > 0))
      expect(answer.headers.get('cache-control'), answer.url).toContain('no-store')
  })
})

it('five kilobytes somebody writes about themselves do not grow the cookie: one, below two kilobytes (A2)', async () => {
  const person = await newPerson()
  const client = createClient(env.SUPABASE_URL ?? '', env.SUPABASE_PUBLISHABLE_KEY ?? '')
  await client.auth.signInWithPassword(person)
  const { error } = await client.auth.updateUser({ data: { story: 'x'.repeat(5_000) } })

  const cookies = setCookies(await signIn(person))

  expect(error).toBeNull()
  expect(cookies).toHaveLength(1)
  expect(`${cookies[0]?.name}=${cookies[0]?.value}`.length).toBeLessThan(2_000)
})

it('no page, payload or answer holds a token (A3)', async () => {
  const orderId = await newOrder(ada.id)
  const paths = ['/', '/payments', '/sign-in', '/new-password', '/confirm-password', `/orders/${orderId}`]
  const texts = await Promise.all(
    paths.flatMap((path) =>
      (['html', 'rsc'] as const).map(async (kind) => {
        const response = await fetch(`${server}${path}`, {
          headers: { cookie: ada.cookie, ...(kind === 'rsc' && { rsc: '1' }) },
        })
        return `${path} ${response.status} ${await response.text()}`
      }),
    ),
  )
  texts.push(await (await signIn(ada)).text())

  const { accessToken, refreshToken } = tokensIn(ada.cookie)
  expect(texts.filter((text) => text.includes('1:"$Sreact.fragment"')).length).toBeGreaterThanOrEqual(
    paths.length,
  )
  for (const text of texts) {
    // Longer than a nonce, which can begin like that by chance, and shorter than any part of a token.
    expect(text, text.slice(0, 80)).not.toMatch(/eyJ[\w-]{20}/)
    for (const secret of [accessToken, refreshToken])
      expect(text.includes(secret), text.slice(0, 80)).toBe(false)
  }
})

describe('signing in', () => {
  it('replaces the session a browser had before, and ends it (A11)', async () => {
    const [mallory, bob] = [await newPerson(), await newPerson()]

    const response = await signIn(bob, { cookie: mallory.cookie })

    const before = decodeJwt(mallory.accessToken)
    const now = decodeJwt(tokensIn(cookieAfter(response)).accessToken)
    expect(now.sub).toBe(bob.id)
    expect(now.session_id).not.toBe(before.session_id)
    const [left] = await adminSql()`select from auth.sessions where id = ${String(before.session_id)}`
    expect(left).toBeUndefined()
  })

  it('again gives new tokens and a new session each time (A11)', async () => {
    const person = await newPerson()
    const first = tokensIn(cookieAfter(await signIn(person, { cookie: person.cookie })))
    const second = tokensIn(cookieAfter(await signIn(person, { cookie: cookieOf(first) })))

    const sessions = [tokensIn(person.cookie), first, second].map(
      ({ accessToken }) => decodeJwt(accessToken).session_id,
    )
    expect(new Set(sessions).size).toBe(3)
    expect(new Set([tokensIn(person.cookie), first, second].map((one) => one.refreshToken)).size).toBe(3)
  })

  it.each([
    ['another site', { origin: 'https://evil.test' }],
    ['no origin', { origin: '' }],
    ['a null origin', { origin: 'null' }],
    ['a cross-site fetch', { 'sec-fetch-site': 'cross-site' }],
  ])('cannot be done from %s, which would sign people in as somebody else (A11)', async (_who, headers) => {
    const answer = await signIn(ada, { headers })

    expect(answer.status).toBe(403)
    expect(setCookies(answer)).toEqual([])
  })

  it('by a link cannot be done from another site either, whatever its proxy says (A11)', async () => {
    const person = await newPerson()
    await sendForm('/forgotten-password', { email: person.email })
    const tokenHash = await mailedToken(mailboxUrl, person.email, 'recovery')
    const path = `/auth/confirm?token_hash=${tokenHash}&type=recovery`

    const answer = await sendForm(
      path,
      { tokenHash, type: 'recovery' },
      { headers: { origin: 'https://evil.test', 'x-forwarded-host': 'evil.test' } },
    )

    expect(setCookies(answer)).toEqual([])
    expect(await answer.text()).toContain('did not come from this site')
  })
})

it('a cookie is never set for longer than a session lasts, and renewing replaces it (A1)', async () => {
  const person = await newPerson()
  const response = await fetch(`${server}/payments`, {
    headers: { cookie: await withToken(person, issuedMinutesAgo(11)) },
  })

  expect(response.status).toBe(200)
  const [cookie, ...others] = setCookies(response)
  expect(others).toEqual([])
  expect(cookie?.name).toBe('session')
  expect(cookie?.flags.get('max-age')).toBe(String(12 * 60 * 60))
  expect(response.headers.get('cache-control')).toContain('no-store')
})
