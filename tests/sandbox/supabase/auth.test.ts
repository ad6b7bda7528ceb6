import { decodeJwt, decodeProtectedHeader } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  client,
  linkFor,
  mailsTo,
  setting,
  signUpPerson,
  startTestSandbox,
  type TestSandbox,
} from '../support/test-sandbox.ts'

let sandbox: TestSandbox

beforeAll(async () => {
  sandbox = await startTestSandbox()
})

afterAll(() => sandbox?.close())

const newAddress = () => `somebody-${crypto.randomUUID()}@example.com`
const password = 'correct horse battery'

describe('signing up', () => {
  it('needs a confirmation: no session, and no sign-in before the link was followed', async () => {
    const email = newAddress()
    const supabase = client(sandbox)

    const { data } = await supabase.auth.signUp({ email, password })
    const early = await supabase.auth.signInWithPassword({ email, password })
    const stranger = await supabase.auth.signInWithPassword({ email, password: 'something else' })

    expect(data.session).toBeNull()
    expect(data.user?.identities).toHaveLength(1)
    expect(early.error?.code).toBe('email_not_confirmed')
    expect(stranger.error?.code).toBe('invalid_credentials')
  })

  it('the link leads to our own page, works once, and signs in', async () => {
    const email = newAddress()
    await client(sandbox).auth.signUp({ email, password })
    const { url, tokenHash, type } = await linkFor(sandbox, email)

    const first = await client(sandbox).auth.verifyOtp({ token_hash: tokenHash, type })
    const second = await client(sandbox).auth.verifyOtp({ token_hash: tokenHash, type })

    expect(url.origin + url.pathname).toBe('http://localhost:3000/auth/confirm')
    expect(type).toBe('email')
    expect(first.data.user?.email).toBe(email)
    expect(first.data.session).not.toBeNull()
    expect(second.error?.code).toBe('otp_expired')
    expect((await client(sandbox).auth.signInWithPassword({ email, password })).error).toBeNull()
  })

  it('a link is too old after its time', async () => {
    const email = newAddress()
    await client(sandbox).auth.signUp({ email, password })
    const { tokenHash, type } = await linkFor(sandbox, email)
    await sandbox.admin`
      update auth.users set confirmation_sent_at = now() - interval '61 minutes' where email = ${email}`

    const { error } = await client(sandbox).auth.verifyOtp({ token_hash: tokenHash, type })

    expect(error?.code).toBe('otp_expired')
  })

  it('nobody learns that a confirmed address has an account', async () => {
    const { email, user } = await signUpPerson(sandbox)
    const mailsBefore = (await mailsTo(sandbox, email)).length

    const { data, error } = await client(sandbox).auth.signUp({ email, password })

    expect(error).toBeNull()
    expect(data.session).toBeNull()
    expect(data.user?.id).not.toBe(user.id)
    expect(data.user?.identities).toEqual([])
    expect(await mailsTo(sandbox, email)).toHaveLength(mailsBefore)
  })

  it('signing up again or asking again before confirming sends another link, and only the newest works', async () => {
    const email = newAddress()
    await client(sandbox).auth.signUp({ email, password })
    const first = await linkFor(sandbox, email)
    const again = await client(sandbox).auth.signUp({ email, password: 'another password' })
    const resent = await client(sandbox).auth.resend({ type: 'signup', email })
    const newest = await linkFor(sandbox, email)

    const old = await client(sandbox).auth.verifyOtp({ token_hash: first.tokenHash, type: 'email' })
    const good = await client(sandbox).auth.verifyOtp({ token_hash: newest.tokenHash, type: 'email' })

    expect(again.error).toBeNull()
    expect(resent.error).toBeNull()
    expect(await mailsTo(sandbox, email)).toHaveLength(3)
    expect(old.error?.code).toBe('otp_expired')
    expect(good.error).toBeNull()
    // The password of the one who made the account stays.
    expect((await client(sandbox).auth.signInWithPassword({ email, password })).error).toBeNull()
  })

  it('a short password is refused, for a known address too', async () => {
    const { email } = await signUpPerson(sandbox)

    const known = await client(sandbox).auth.signUp({ email, password: 'seven77' })
    const unknown = await client(sandbox).auth.signUp({ email: newAddress(), password: 'seven77' })

    expect(known.error?.code).toBe('weak_password')
    expect(unknown.error?.code).toBe('weak_password')
  })

  it('the same new address twice at once makes one account and no failure', async () => {
    const email = newAddress()

    const results = await Promise.all(
      [1, 2, 3, 4].map(() => client(sandbox).auth.signUp({ email, password })),
    )

    expect(results.map(({ error }) => error?.message ?? null)).toEqual([null, null, null, null])
    const [{ count } = { count: 0 }] = await sandbox.admin`
      select count(*)::int as count from auth.users where email = ${email}`
    expect(count).toBe(1)
  })
})

describe('tokens', () => {
  it('getClaims checks the signature here, with the published key', async () => {
    const { supabase, session, user } = await signUpPerson(sandbox)

    const { data } = await supabase.auth.getClaims()
    const again = await supabase.auth.getClaims(session.access_token)

    expect(data?.header).toMatchObject({ alg: 'ES256', typ: 'JWT' })
    expect(data?.claims.sub).toBe(user.id)
    expect(again.error).toBeNull()
    expect(decodeProtectedHeader(session.access_token).kid).toBe(data?.header.kid)
  })

  it('claims are the ones hosted gives, but for the metadata that our hook takes out', async () => {
    const { session, user, email } = await signUpPerson(sandbox)

    const claims = decodeJwt(session.access_token)

    expect(claims).toMatchObject({
      iss: `${setting(sandbox, 'SUPABASE_URL')}/auth/v1`,
      sub: user.id,
      aud: 'authenticated',
      role: 'authenticated',
      email,
      phone: '',
      aal: 'aal1',
      amr: [{ method: 'otp', timestamp: expect.any(Number) }],
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      is_anonymous: false,
    })
    expect(claims).not.toHaveProperty('user_metadata')
    expect(claims).not.toHaveProperty('app_metadata')
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600)
  })

  it('how one signed in is remembered through a refresh', async () => {
    const { email, password: own } = await signUpPerson(sandbox)
    const supabase = client(sandbox)
    await supabase.auth.signInWithPassword({ email, password: own })

    const { data } = await supabase.auth.refreshSession()

    expect(decodeJwt(data.session?.access_token ?? '').amr).toEqual([
      { method: 'password', timestamp: expect.any(Number) },
    ])
  })

  it('a bad token is 403 bad_jwt on Auth', async () => {
    const { session } = await signUpPerson(sandbox)
    const tampered = `${session.access_token.slice(0, -6)}AAAAAA`

    const { error } = await client(sandbox).auth.getUser(tampered)

    expect(error).toMatchObject({ status: 403, code: 'bad_jwt' })
  })
})

describe('refreshing', () => {
  const refresh = (token: string) => client(sandbox).auth.refreshSession({ refresh_token: token })

  it('a used token still works for whoever missed the answer, and gives the same new one', async () => {
    const { session } = await signUpPerson(sandbox)

    const first = await refresh(session.refresh_token)
    const again = await refresh(session.refresh_token)

    expect(again.data.session?.refresh_token).toBe(first.data.session?.refresh_token)
  })

  it('two refreshes with one token at once end in one new token', async () => {
    const { session } = await signUpPerson(sandbox)

    const both = await Promise.all([refresh(session.refresh_token), refresh(session.refresh_token)])

    expect(new Set(both.map(({ data }) => data.session?.refresh_token)).size).toBe(1)
  })

  it('an old token that comes back late ends the session for everybody', async () => {
    const { session } = await signUpPerson(sandbox)
    const second = await refresh(session.refresh_token)
    const third = await refresh(second.data.session?.refresh_token ?? '')
    await sandbox.admin`
      update auth.refresh_tokens set updated_at = now() - interval '11 seconds' where token = ${session.refresh_token}`

    const stolen = await refresh(session.refresh_token)
    const rightful = await refresh(third.data.session?.refresh_token ?? '')

    expect(stolen.error?.code).toBe('refresh_token_already_used')
    expect(rightful.error?.code).toBe('refresh_token_already_used')
  })

  it('an old token within ten seconds is taken for a race', async () => {
    const { session } = await signUpPerson(sandbox)
    const second = await refresh(session.refresh_token)
    const third = await refresh(second.data.session?.refresh_token ?? '')

    const late = await refresh(session.refresh_token)

    expect(late.data.session?.refresh_token).toBe(third.data.session?.refresh_token)
  })

  it('an unknown token is refused', async () => {
    expect((await refresh('abcdefghijkl')).error?.code).toBe('refresh_token_not_found')
  })
})

describe('passwords and signing out', () => {
  it('a recovery link signs in once, and the new password is the only one then', async () => {
    const { email, password: old } = await signUpPerson(sandbox)
    const elsewhere = client(sandbox)
    await elsewhere.auth.signInWithPassword({ email, password: old })
    await client(sandbox).auth.resetPasswordForEmail(email)
    const { url, tokenHash, type } = await linkFor(sandbox, email)
    const supabase = client(sandbox)

    const entered = await supabase.auth.verifyOtp({ token_hash: tokenHash, type })
    const changed = await supabase.auth.updateUser({ password: 'quite another one' })

    expect(url.pathname).toBe('/auth/confirm')
    expect(type).toBe('recovery')
    expect(entered.error).toBeNull()
    expect(changed.error).toBeNull()
    expect((await supabase.auth.getUser()).error).toBeNull()
    // What supabase-js makes of hosted's `session_not_found`.
    expect((await elsewhere.auth.getUser()).error?.name).toBe('AuthSessionMissingError')
    expect((await client(sandbox).auth.verifyOtp({ token_hash: tokenHash, type })).error?.code).toBe(
      'otp_expired',
    )
    const sign = (value: string) => client(sandbox).auth.signInWithPassword({ email, password: value })
    expect((await sign(old)).error?.code).toBe('invalid_credentials')
    expect((await sign('quite another one')).error).toBeNull()
  })

  it('asking for a recovery of an unknown address looks the same and sends nothing', async () => {
    const email = newAddress()

    const { error } = await client(sandbox).auth.resetPasswordForEmail(email)

    expect(error).toBeNull()
    expect(await mailsTo(sandbox, email)).toEqual([])
  })

  it.each([
    ['local', [false, true]],
    ['others', [true, false]],
    ['global', [false, false]],
  ] as const)('signing out with scope %s ends the right sessions', async (scope, [hereStays, thereStays]) => {
    const { email, password: own, supabase: here, session } = await signUpPerson(sandbox)
    const there = client(sandbox)
    const other = await there.auth.signInWithPassword({ email, password: own })

    await here.auth.signOut({ scope })

    const alive = async (token = '') => (await client(sandbox).auth.getUser(token)).error === null
    expect(await alive(session.access_token)).toBe(hereStays)
    expect(await alive(other.data.session?.access_token)).toBe(thereStays)
  })
})

describe('operators', () => {
  it('list, look at and delete users with the secret key', async () => {
    const { user, session } = await signUpPerson(sandbox)
    const { admin } = client(sandbox, sandbox.supabaseSecretKey).auth

    const listed = await admin.listUsers()
    const one = await admin.getUserById(user.id)
    const gone = await admin.deleteUser(user.id)

    expect(listed.data.users.map(({ id }) => id)).toContain(user.id)
    expect(one.data.user?.email).toBe(user.email)
    expect(gone.error).toBeNull()
    expect((await admin.getUserById(user.id)).error?.code).toBe('user_not_found')
    expect((await client(sandbox).auth.getUser(session.access_token)).error?.status).toBe(403)
  })

  it('nobody else may', async () => {
    const { error } = await client(sandbox).auth.admin.listUsers()

    expect(error?.status).toBe(403)
  })
})
