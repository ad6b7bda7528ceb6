import { createServerClient } from '@supabase/ssr'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  linkFor,
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

/** A server client whose cookies live in a map, as those of one browser. */
function serverClient(cookies: Map<string, string>) {
  return createServerClient(setting(sandbox, 'SUPABASE_URL'), setting(sandbox, 'SUPABASE_PUBLISHABLE_KEY'), {
    cookieOptions: { name: 'session', httpOnly: true, sameSite: 'lax', path: '/' },
    cookies: {
      encode: 'tokens-only',
      getAll: () => [...cookies].map(([name, value]) => ({ name, value })),
      setAll(changes) {
        for (const { name, value } of changes) value ? cookies.set(name, value) : cookies.delete(name)
      },
    },
  })
}

it('a session in cookies is found again by the next request, checked locally, and gone after signing out', async () => {
  const { email, password, user } = await signUpPerson(sandbox)
  const cookies = new Map<string, string>()
  await serverClient(cookies).auth.signInWithPassword({ email, password })

  const { data } = await serverClient(cookies).auth.getClaims()
  await serverClient(cookies).auth.signOut()

  expect(data?.claims.sub).toBe(user.id)
  expect((await serverClient(cookies).auth.getClaims()).data).toBeNull()
})

it('a sign-up from a server client is confirmed by the link alone, in another browser too', async () => {
  const email = `ssr-${crypto.randomUUID()}@example.com`
  const otherBrowser = new Map<string, string>()
  const signUp = await serverClient(new Map()).auth.signUp({ email, password: 'a good password' })
  const { tokenHash, type } = await linkFor(sandbox, email)

  const { error } = await serverClient(otherBrowser).auth.verifyOtp({ token_hash: tokenHash, type })

  expect(signUp.error).toBeNull()
  expect(error).toBeNull()
  expect((await serverClient(otherBrowser).auth.getUser()).data.user?.email).toBe(email)
})
