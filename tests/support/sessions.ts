import { randomUUID } from 'node:crypto'
import { decodeJwt, importJWK, type JWTPayload, SignJWT } from 'jose'
import type { Person } from './people'
import { stack } from './stack-in-test'

export type Tokens = { accessToken: string; refreshToken: string }
type Options = { server?: string; cookie?: string; headers?: Record<string, string> }

/** Sign in over our own route, as the form does. */
export function signIn(
  { email, password }: { email: string; password: string },
  { server = stack().serverUrls[0], cookie, headers }: Options = {},
): Promise<Response> {
  return fetch(`${server}/api/session`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      origin: stack().appOrigin,
      ...(cookie && { cookie }),
      ...headers,
    },
    body: JSON.stringify({ email, password }),
  })
}

export type SetCookie = { name: string; value: string; flags: Map<string, string> }

/** Every Set-Cookie of an answer, taken apart. Names of flags in lower case. */
export function setCookies(response: Response): SetCookie[] {
  return response.headers.getSetCookie().map((line) => {
    const [pair = '', ...flags] = line.split(';').map((part) => part.trim())
    const [name = '', value = ''] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
    return {
      name,
      value,
      flags: new Map(
        flags.map((flag) => [flag.split('=')[0]?.toLowerCase() ?? '', flag.split('=')[1] ?? '']),
      ),
    }
  })
}

/** The Cookie header a browser would send after this answer. */
export function cookieAfter(response: Response): string {
  return setCookies(response)
    .filter(({ value }) => value !== '')
    .map(({ name, value }) => `${name}=${value}`)
    .join('; ')
}

/** The tokens in a Cookie header of our own. */
export function tokensIn(cookie: string): Tokens {
  const value = /session=base64-([\w-]+)/.exec(cookie)?.[1] ?? ''
  const session = JSON.parse(Buffer.from(value, 'base64url').toString())
  return { accessToken: session.access_token, refreshToken: session.refresh_token }
}

/** A Cookie header that holds these tokens, the way the app writes it. */
export function cookieOf({ accessToken, refreshToken }: Tokens, name = 'session'): string {
  const { exp = 0 } = decodeJwt(accessToken)
  const session = {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'bearer',
    expires_in: 600,
    expires_at: exp,
  }
  return `${name}=base64-${Buffer.from(JSON.stringify(session)).toString('base64url')}`
}

/** The same session with a token of another age or content, signed as Auth signs. */
export async function withToken(person: Person, changes: JWTPayload): Promise<string> {
  const { accessToken, refreshToken } = tokensIn(person.cookie)
  const token = await signToken({ ...decodeJwt(accessToken), ...changes })
  return cookieOf({ accessToken: token, refreshToken })
}

/** What a token says that Auth signed some minutes ago, and that has run out unless that is not long ago. */
export function issuedMinutesAgo(minutes: number): JWTPayload {
  const iat = Math.floor(Date.now() / 1000) - minutes * 60
  return { iat, exp: iat + 600 }
}

/** Signed as Auth does, or with another key under its key's name. */
export async function signToken(claims: JWTPayload, key = stack().supabaseSigningKey): Promise<string> {
  const { kid } = stack().supabaseSigningKey
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid: String(kid) })
    .sign(await importJWK(key, 'ES256'))
}

/** What a session that nobody ever began would claim. */
export const newSessionId = () => randomUUID()
