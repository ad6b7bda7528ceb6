import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { decodeJwt, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { adminSql, callService } from '../support/db'
import { newOrder } from '../support/payment-rows'
import { mailedToken, newPerson, type Person } from '../support/people'
import { startPayment } from '../support/requests'
import { cookieAfter, cookieOf, signIn, signToken, tokensIn } from '../support/sessions'
import { stack } from '../support/stack-in-test'

const { env, serverUrls, mailboxUrl } = stack()
const [server] = serverUrls as [string]

const askAuth = (path: string, method: string, body: unknown, token?: string) =>
  fetch(`${env.SUPABASE_URL}/auth/v1/${path}`, {
    method,
    headers: {
      apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '',
      'content-type': 'application/json',
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  })

let ada: Person
let orderId: string
beforeAll(async () => {
  ada = await newPerson()
  orderId = await newOrder(ada.id)
})

describe('a token', () => {
  const now = Math.floor(Date.now() / 1000)
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
  const claims = () => decodeJwt(ada.accessToken)
  const pieces = (header: object, payload: object) =>
    [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')

  it.each<[string, () => Promise<string> | string]>([
    ['without a signature (alg none)', () => `${pieces({ alg: 'none', typ: 'JWT' }, claims())}.`],
    ['of another key', () => signToken(claims(), { ...other })],
    [
      'of another project, by its own key',
      () => signToken({ ...claims(), iss: 'https://other.supabase.co/auth/v1' }, { ...other }),
    ],
    ['of another issuer', () => signToken({ ...claims(), iss: 'https://other.supabase.co/auth/v1' })],
    ['for another audience', () => signToken({ ...claims(), aud: 'other' })],
    ['that has run out', () => signToken({ ...claims(), iat: now - 7_200, exp: now - 6_600 })],
    [
      'with a claim changed after signing',
      () => {
        const [header = '', , signature = ''] = ada.accessToken.split('.')
        const forged = Buffer.from(JSON.stringify({ ...claims(), sub: randomUUID() })).toString('base64url')
        return `${header}.${forged}.${signature}`
      },
    ],
    [
      'signed with the published key as if it were a secret (HS256)',
      async () => {
        const keys = await (await fetch(`${env.SUPABASE_URL}/auth/v1/.well-known/jwks.json`)).text()
        return await new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
          .sign(new TextEncoder().encode(keys))
      },
    ],
  ])('%s is nobody: 401 from the app, 401 from the database (Z19)', async (_what, make) => {
    const token = await make()
    const cookie = cookieOf({ accessToken: ada.accessToken, refreshToken: 'x' })
    const session = JSON.parse(Buffer.from(cookie.slice('session=base64-'.length), 'base64url').toString())
    const forged = `session=base64-${Buffer.from(JSON.stringify({ ...session, access_token: token, expires_at: now + 3_600 })).toString('base64url')}`

    const read = await fetch(`${server}/api/payments/history`, { headers: { cookie: forged } })
    const pay = await startPayment({ ...ada, cookie: forged }, orderId)
    const rows = await fetch(`${env.SUPABASE_URL}/rest/v1/orders?select=id`, {
      headers: { apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '', authorization: `Bearer ${token}` },
    })

    expect([read.status, pay.status, rows.status]).toEqual([401, 401, 401])
  })

  it('of our own passes all three: the forgeries fail for what they are', async () => {
    const token = await signToken(claims())
    const cookie = cookieOf({ accessToken: token, refreshToken: tokensIn(ada.cookie).refreshToken })

    const read = await fetch(`${server}/api/payments/history`, { headers: { cookie } })
    const rows = await fetch(`${env.SUPABASE_URL}/rest/v1/orders?select=id`, {
      headers: { apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '', authorization: `Bearer ${token}` },
    })

    expect([read.status, (await startPayment({ ...ada, cookie }, orderId)).status, rows.status]).toEqual([
      200, 201, 200,
    ])
    expect(await rows.json()).toHaveLength(1)
  })

  it.each(['anon', 'service_role'])('that calls its holder %s is nobody to the app (Z19)', async (role) => {
    const cookie = cookieOf({ accessToken: await signToken({ ...claims(), role }), refreshToken: 'x' })

    expect((await fetch(`${server}/api/payments/history`, { headers: { cookie } })).status).toBe(401)
  })
})

describe('what people say of themselves', () => {
  const boast = {
    role: 'admin',
    is_admin: true,
    app_metadata: { role: 'admin', provider: 'email', staff: true },
    staff: { role: 'admin' },
  }

  it('at sign-up or later makes nobody more than a customer (Z11, Z12)', async () => {
    const email = `${randomUUID()}@example.test`
    const password = `pw ${randomUUID()}`
    await askAuth('signup', 'POST', {
      email,
      password,
      data: boast,
      role: 'service_role',
      app_metadata: { role: 'admin' },
      aud: 'admin',
    })
    await askAuth('verify', 'POST', { type: 'email', token_hash: await mailedToken(mailboxUrl, email) })
    const first = tokensIn(cookieAfter(await signIn({ email, password }))).accessToken
    await askAuth(
      'user',
      'PUT',
      { data: boast, role: 'service_role', app_metadata: boast.app_metadata, is_super_admin: true },
      first,
    )

    const cookie = cookieAfter(await signIn({ email, password }))
    const { accessToken } = tokensIn(cookie)
    const claims = decodeJwt(accessToken)
    const [row] = await adminSql()`
      select id, role, aud, raw_app_meta_data as app, raw_user_meta_data as said from auth.users where email = ${email}`
    expect(row).toMatchObject({ role: 'authenticated', aud: 'authenticated', said: { role: 'admin' } })
    expect(row?.app).toEqual({ provider: 'email', providers: ['email'] })
    expect(claims).toMatchObject({ role: 'authenticated', aud: 'authenticated' })
    expect(JSON.stringify(claims)).not.toMatch(/admin|staff|service_role/)
    const staff = await adminSql()`select from private.staff where user_id = ${row?.id}`
    expect(staff).toHaveLength(0)
    await expect(callService('payment_limits', { p_actor: String(row?.id) })).rejects.toMatchObject({
      code: '42501',
    })
    const ours = await fetch(`${env.SUPABASE_URL}/rest/v1/orders?select=id`, {
      headers: { apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '', authorization: `Bearer ${accessToken}` },
    })
    expect(await ours.json()).toEqual([])
  })

  it('never reaches a token, so nothing can come to rely on it (Z11)', async () => {
    await askAuth('user', 'PUT', { data: boast }, ada.accessToken)

    const claims = decodeJwt(tokensIn(cookieAfter(await signIn(ada))).accessToken)

    expect(Object.keys(claims).sort()).toEqual([
      ...[
        'aal',
        'amr',
        'aud',
        'email',
        'exp',
        'iat',
        'is_anonymous',
        'iss',
        'phone',
        'role',
        'session_id',
        'sub',
      ],
    ])
  })
})
