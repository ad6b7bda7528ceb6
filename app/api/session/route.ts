import { SignInInput } from '@/lib/auth/schema'
import { signIn } from '@/lib/auth/sign-in'
import { json, readJson, route } from '@/lib/http'

/** Sign in. The session travels in a cookie, never in the answer; a refusal has a status, which a form's action has not. */
export const POST = route(async (request) => {
  const input = await readJson(request, SignInInput)

  const { next } = await signIn(input)

  return json({ next })
})
