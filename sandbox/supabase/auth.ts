import { decodeJwt } from 'jose'
import { adminUsers } from './admin-users.ts'
import { authError, json } from './answers.ts'
import { type Engine, MINIMUM_PASSWORD_LENGTH } from './engine.ts'
import type { SendMail } from './mails.ts'
import {
  endOtherSessions,
  isBanned,
  judgeRefreshToken,
  knowsPassword,
  recordMethod,
  refuseEnded,
} from './sessions.ts'
import { resendSignUp, signUpExisting, tooSoon } from './sign-up.ts'
import { createThrottle } from './throttle.ts'
import { BadTokenError, type SessionClaims, type Tokens } from './tokens.ts'

export type AuthOptions = {
  engine: Engine
  tokens: Tokens
  mail: SendMail
  /** Sign-ins, sign-ups, mails and confirmations per address in five minutes. Hosted: 30 unless set otherwise. */
  attempts: number
  /** Between two mails of one kind to one person. Hosted: 60. */
  mailIntervalSeconds: number
}

export type AuthRequest = { request: Request; clientAddress: string; isSecretKey: boolean }

/** Refreshes happen on their own, so hosted allows more of them. */
const REFRESHES_PER_ATTEMPT = 5

/** `/auth/v1/…`: what hosted does around the engine's answer. */
export function createAuth(options: AuthOptions) {
  const { engine, tokens, mailIntervalSeconds } = options
  const { sql } = engine
  const throttle = createThrottle()
  const sendConfirmation = (to: string, tokenHash: string) => options.mail('confirmation', to, tokenHash)
  let queue: Promise<unknown> = Promise.resolve()

  return async (incoming: AuthRequest): Promise<Response> => {
    const { request } = incoming
    const url = new URL(request.url)
    const path = url.pathname.slice('/auth/v1'.length)
    const grant = url.searchParams.get('grant_type')

    if (path === '/admin/users' || path.startsWith('/admin/users/')) {
      return adminUsers(request, sql, incoming.isSecretKey)
    }
    if (path.startsWith('/admin/')) return authError(404, 'not_found', 'Not part of the sandbox')
    if (SESSION_PATHS.has(path)) return withSession(incoming, path, url)

    if (request.method === 'POST' && THROTTLED.has(path)) {
      const isRefresh = path === '/token' && grant === 'refresh_token'
      const name = isRefresh ? 'refresh' : path
      const capacity = options.attempts * (isRefresh ? REFRESHES_PER_ATTEMPT : 1)
      if (!throttle.take(name, incoming.clientAddress, capacity)) {
        return authError(429, 'over_request_rate_limit', 'Request rate limit reached')
      }
    }

    const body = request.method === 'POST' ? await readBody(request) : null
    switch (request.method === 'POST' ? path : '') {
      case '/signup':
        return oneAfterTheOther(() => signUp(incoming, text(body?.email), body))
      case '/resend':
        if (body?.type !== 'signup' || !text(body.email)) return forward(incoming, body)
        return resendSignUp({
          email: text(body.email),
          sql,
          mailIntervalSeconds,
          sendConfirmation,
        })
      case '/recover':
        return recover(incoming, text(body?.email), body)
      case '/verify':
        return verify(incoming, body)
      case '/token':
        return grant === 'refresh_token'
          ? oneAfterTheOther(() => refresh(incoming, body))
          : signIn(incoming, body)
      default:
        return forward(incoming, body)
    }
  }

  async function signUp(incoming: AuthRequest, email: string, body: Body): Promise<Response> {
    // Let the engine check a new password first, so that a weak one is refused for everybody alike.
    const existing =
      email && text(body?.password).length >= MINIMUM_PASSWORD_LENGTH
        ? await signUpExisting({ email, sql, mailIntervalSeconds, sendConfirmation })
        : null
    return existing ?? forward(incoming, body)
  }

  async function recover(incoming: AuthRequest, email: string, body: Body): Promise<Response> {
    const [user] = await sql<{ sentAt: Date | null }[]>`
      select recovery_sent_at as "sentAt" from auth.users where email = ${email.toLowerCase()}`
    return tooSoon(user?.sentAt ?? null, mailIntervalSeconds) ?? forward(incoming, body)
  }

  /** The links in mails say `email`, whatever was to be confirmed; the engine wants to be told. */
  async function verify(incoming: AuthRequest, body: Body): Promise<Response> {
    let type = body?.type
    if (type === 'email') {
      const [match] = await sql`
        select from auth.users
        where confirmation_token = ${text(body?.token_hash)}
           or (email = ${text(body?.email).toLowerCase()} and confirmed_at is null)`
      type = match ? 'signup' : 'magiclink'
    }
    return withTokens(await forwardRaw(incoming, { ...body, type }), 'otp')
  }

  async function signIn(incoming: AuthRequest, body: Body): Promise<Response> {
    if (await isBanned(sql, { email: text(body?.email) })) return banned()
    const response = await forwardRaw(incoming, body)
    if (response.headers.get('x-sb-error-code') === 'email_not_confirmed') {
      const known = await knowsPassword(sql, text(body?.email), text(body?.password))
      if (!known) return authError(400, 'invalid_credentials', 'Invalid login credentials')
    }
    return withTokens(response, 'password')
  }

  async function refresh(incoming: AuthRequest, body: Body): Promise<Response> {
    if (await isBanned(sql, { refreshToken: text(body?.refresh_token) })) return banned()
    const decision = await judgeRefreshToken(sql, text(body?.refresh_token))
    if (decision.kind === 'reused') {
      return authError(400, 'refresh_token_already_used', 'Invalid Refresh Token: Already Used')
    }
    if (decision.kind === 'unknown') {
      return authError(400, 'refresh_token_not_found', 'Invalid Refresh Token: Refresh Token Not Found')
    }
    return withTokens(await forwardRaw(incoming, { ...body, refresh_token: decision.token }), null)
  }

  /** Looks first and acts then: two refreshes with one token, or two sign-ups of one address, at once. */
  function oneAfterTheOther<T>(work: () => Promise<T>): Promise<T> {
    const result = queue.then(work)
    queue = result.catch(() => {})
    return result
  }

  async function withSession(incoming: AuthRequest, path: string, url: URL): Promise<Response> {
    const token = /^Bearer (.+)$/.exec(incoming.request.headers.get('authorization') ?? '')?.[1]
    if (!token || token.startsWith('sb_')) {
      return authError(401, 'no_authorization', 'This endpoint requires a valid Bearer token')
    }
    try {
      const claims = await tokens.verify(token)
      const session = claims as typeof claims & SessionClaims
      const refused = await refuseEnded(sql, session)
      if (refused) return refused
      const body = incoming.request.method === 'GET' ? null : await readBody(incoming.request)
      // supabase-js always names the scope; without one hosted means all sessions, the engine this one.
      if (path === '/logout' && !url.searchParams.has('scope')) url.searchParams.set('scope', 'global')
      const response = await forwardRaw(incoming, body, await tokens.forEngine(claims), url)
      if (path === '/user' && response.ok && text(body?.password)) {
        await endOtherSessions(sql, session.sub ?? '', session.session_id)
        await options.mail('password-changed', session.email ?? '')
      }
      return response
    } catch (error) {
      if (!(error instanceof BadTokenError)) throw error
      return authError(403, 'bad_jwt', `invalid JWT: unable to parse or verify signature, ${error.message}`)
    }
  }

  async function forward(incoming: AuthRequest, body: Body): Promise<Response> {
    return withTokens(await forwardRaw(incoming, body), 'otp')
  }

  function forwardRaw(
    { request, clientAddress }: AuthRequest,
    body: Body,
    engineToken?: string,
    url = new URL(request.url),
  ): Promise<Response> {
    const headers = new Headers(request.headers)
    headers.delete('authorization')
    headers.delete('content-length')
    if (engineToken) headers.set('authorization', `Bearer ${engineToken}`)
    const hasBody = body !== null && request.method !== 'GET' && request.method !== 'HEAD'
    return engine.fetch(
      new Request(url, {
        method: request.method,
        headers,
        ...(hasBody ? { body: JSON.stringify(body) } : {}),
      }),
      clientAddress,
    )
  }

  /** An answer with a session gets its access token replaced by one like hosted's. */
  async function withTokens(response: Response, method: 'password' | 'otp' | null): Promise<Response> {
    if (!response.ok || !response.headers.get('content-type')?.includes('json')) return response
    const answer = (await response.json()) as Record<string, unknown>
    if (typeof answer.access_token !== 'string') return json(answer, response.status)
    if (method) await recordMethod(sql, decodeJwt<SessionClaims>(answer.access_token).session_id, method)
    return json({ ...answer, access_token: await tokens.issue(answer.access_token) }, response.status)
  }
}

const THROTTLED = new Set(['/token', '/signup', '/recover', '/otp', '/magiclink', '/verify', '/resend'])
const SESSION_PATHS = new Set(['/user', '/logout', '/reauthenticate', '/factors'])

type Body = Record<string, unknown> | null

/** What is no JSON object goes on as an empty one: the engine then says what is missing. */
async function readBody(request: Request): Promise<Body> {
  const body: unknown = await request.json().catch(() => null)
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Body) : {}
}

const banned = () => authError(400, 'user_banned', 'User is banned')

const text = (value: unknown) => (typeof value === 'string' ? value : '')
