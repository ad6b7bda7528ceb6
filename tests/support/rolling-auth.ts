import { createServer } from 'node:http'
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  type JWK,
  jwtVerify,
  SignJWT,
} from 'jose'
import type { Person } from './people'
import { cookieOf, signToken, tokensIn } from './sessions'
import { stack } from './stack-in-test'

export type RollingAuth = {
  url: string
  /** The signing keys it publishes and the project keys it takes from now on. */
  accept(now: { signing: readonly SigningKey[]; project: readonly string[] }): void
  /** A person's session, signed with one of its keys. */
  sessionOf(person: Person, key: SigningKey): Promise<Person>
  close(): Promise<void>
}

export type SigningKey = { kid: string; privateJwk: JWK; publicJwk: JWK }

export async function newSigningKey(kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const named = { kid, alg: 'ES256', use: 'sig' }
  return {
    kid,
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    publicJwk: { ...(await exportJWK(publicKey)), ...named },
  }
}

/**
 * Supabase as it is while keys are rolled: it publishes several signing keys and takes several keys of the project, as hosted
 * does. The local one has one of each for life, so this checks what comes in and passes it on under those.
 */
export async function startRollingAuth(): Promise<RollingAuth> {
  const { env } = stack()
  let signing: readonly SigningKey[] = []
  let project: readonly string[] = []

  /** The same token as the local Supabase would have signed it; null for one it would not have. */
  async function resigned(token: string): Promise<string | null> {
    const isKnown = signing.some(({ kid }) => kid === decodeProtectedHeader(token).kid)
    if (!isKnown) return null
    const keys = createLocalJWKSet({ keys: signing.map(({ publicJwk }) => publicJwk) })
    const { payload } = await jwtVerify(token, keys, { issuer: `${url}/auth/v1` })
    return await signToken({ ...payload, iss: `${env.SUPABASE_URL}/auth/v1` })
  }

  const server = createServer(async (request, response) => {
    const refuse = (message: string) =>
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end(JSON.stringify({ code: 401, error_code: 'bad_jwt', message, msg: message }))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const key = String(request.headers.apikey ?? '')
    if (!project.includes(key)) return void refuse('Invalid API key')
    if (request.url === '/auth/v1/.well-known/jwks.json') {
      response.writeHead(200, { 'content-type': 'application/json' })
      return void response.end(JSON.stringify({ keys: signing.map(({ publicJwk }) => publicJwk) }))
    }
    const headers = new Headers({ apikey: env.SUPABASE_PUBLISHABLE_KEY ?? '' })
    for (const name of ['content-type', 'accept', 'accept-profile', 'prefer', 'range']) {
      const value = request.headers[name]
      if (typeof value === 'string') headers.set(name, value)
    }
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    if (given !== undefined && given !== key) {
      const token = await resigned(given).catch(() => null)
      if (token === null) return void refuse('invalid JWT')
      headers.set('authorization', `Bearer ${token}`)
    }
    const answer = await fetch(`${env.SUPABASE_URL}${request.url}`, {
      method: request.method,
      headers,
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on a port')
  const url = `http://127.0.0.1:${address.port}`

  return {
    url,
    accept: (now) => {
      ;({ signing, project } = now)
    },
    sessionOf: async (person, { kid, privateJwk }) => {
      const accessToken = await new SignJWT({ ...decodeJwt(person.accessToken), iss: `${url}/auth/v1` })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', kid })
        .sign(privateJwk)
      const { refreshToken } = tokensIn(person.cookie)
      return { ...person, accessToken, cookie: cookieOf({ accessToken, refreshToken }) }
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
