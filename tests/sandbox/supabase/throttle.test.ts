import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createThrottle } from '../../../sandbox/supabase/throttle.ts'
import { client, setting, signUpPerson, startTestSandbox, type TestSandbox } from '../support/test-sandbox.ts'

let sandbox: TestSandbox

beforeAll(async () => {
  sandbox = await startTestSandbox({
    tuning: { signInAttempts: 30, accessTokenSeconds: 1, mailIntervalSeconds: 60 },
  })
})

afterAll(() => sandbox?.close())

describe('throttling', () => {
  it('of thirty-one sign-ins from one address one is refused, and another address is not', async () => {
    const attempt = (headers: Record<string, string>) =>
      fetch(`${setting(sandbox, 'SUPABASE_URL')}/auth/v1/token?grant_type=password`, {
        method: 'POST',
        headers: { apikey: sandbox.supabaseSecretKey, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ email: 'nobody@example.com', password: 'not known here' }),
      })

    // All at once: every ten seconds one more would be let in.
    const answers = await Promise.all(
      Array.from({ length: 31 }, () => attempt({ 'sb-forwarded-for': '192.0.2.1' })),
    )
    const other = await attempt({ 'sb-forwarded-for': '192.0.2.2' })
    const unbelieved = await attempt({
      'sb-forwarded-for': '192.0.2.1',
      apikey: setting(sandbox, 'SUPABASE_PUBLISHABLE_KEY'),
    })

    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(30).fill(400), 429])
    expect(other.status).toBe(400)
    expect(unbelieved.status).toBe(400)
  })

  it('what supabase-js sees of it', async () => {
    const attempt = async () => {
      const { error } = await client(sandbox).auth.signInWithPassword({
        email: 'nobody@example.com',
        password: 'x',
      })
      return error?.code
    }

    // At once as well.
    const codes = await Promise.all(Array.from({ length: 32 }, attempt))

    expect(new Set(codes)).toEqual(new Set(['invalid_credentials', 'over_request_rate_limit']))
  })

  it('a bucket refills evenly over five minutes', () => {
    let now = 0
    const throttle = createThrottle(() => now)
    while (throttle.take('sign-in', 'a', 30));

    now = 9_999
    const early = throttle.take('sign-in', 'a', 30)
    now = 10_001
    const one = throttle.take('sign-in', 'a', 30)
    const noMore = throttle.take('sign-in', 'a', 30)
    now += 300_000
    let full = 0
    while (throttle.take('sign-in', 'a', 30)) full += 1

    expect([early, one, noMore, full]).toEqual([false, true, false, 30])
  })

  it('a second mail of one kind within a minute is refused', async () => {
    const email = `hasty-${crypto.randomUUID()}@example.com`
    await client(sandbox).auth.signUp({ email, password: 'a good password' })

    const { error } = await client(sandbox).auth.resend({ type: 'signup', email })

    expect(error).toMatchObject({ status: 429, code: 'over_email_send_rate_limit' })
  })
})

describe('the life of a token', () => {
  it('an expired token is 401 on REST and 403 on Auth, and a refresh helps', async () => {
    const { supabase, session } = await signUpPerson(sandbox)
    await new Promise((resolve) => setTimeout(resolve, 2_100))
    const headers = {
      apikey: setting(sandbox, 'SUPABASE_PUBLISHABLE_KEY'),
      authorization: `Bearer ${session.access_token}`,
    }

    const rest = await fetch(`${setting(sandbox, 'SUPABASE_URL')}/rest/v1/nothing`, { headers })
    const auth = await fetch(`${setting(sandbox, 'SUPABASE_URL')}/auth/v1/user`, { headers })
    const refreshed = await supabase.auth.refreshSession({ refresh_token: session.refresh_token })

    expect([rest.status, ((await rest.json()) as { code: string }).code]).toEqual([401, 'PGRST303'])
    expect([auth.status, ((await auth.json()) as { error_code: string }).error_code]).toEqual([
      403,
      'bad_jwt',
    ])
    expect(refreshed.error).toBeNull()
  })
})
