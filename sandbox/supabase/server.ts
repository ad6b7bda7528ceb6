import type { HttpBindings } from '@hono/node-server'
import type { JWK } from 'jose'
import { createFaults } from '../faults.ts'
import { type Listening, listen } from '../listen.ts'
import { isLocalHost } from '../local-only.ts'
import { authError, gatewayError, json, restError } from './answers.ts'
import { createAuth } from './auth.ts'
import { type EngineConfig, startEngine } from './engine.ts'
import { createMails } from './mails.ts'
import { createRest } from './rest.ts'
import { createTokens } from './tokens.ts'

export type SupabaseConfig = EngineConfig & {
  port: number
  localSecret: string
  signingKey: JWK
  attempts: number
  mailIntervalSeconds: number
}

/** Supabase Auth and REST in miniature: the engine, and in front of it what makes it behave like hosted. */
export async function startSupabase(config: SupabaseConfig): Promise<Listening> {
  const engine = await startEngine(config)
  const origin = `http://127.0.0.1:${config.port}`
  const tokens = await createTokens({
    signingKey: config.signingKey,
    issuer: `${origin}/auth/v1`,
    innerSecret: engine.innerSecret,
    sql: engine.sql,
  })
  const faults = createFaults({ secret: config.localSecret, modes: ['503'] })
  const auth = createAuth({
    engine,
    tokens,
    attempts: config.attempts,
    mailIntervalSeconds: config.mailIntervalSeconds,
    mail: createMails(config),
  })
  const rest = createRest({ engine, tokens })

  const route = async (request: Request, bindings: HttpBindings): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url)
    const area = /^\/(auth|rest)\/v1(\/|$)/.exec(pathname)?.[1]
    if (!area) return gatewayError(404, 'no Route matched with those values')
    const peer = bindings.incoming.socket.remoteAddress ?? ''
    if (request.method === 'OPTIONS') return engine.fetch(request, peer)
    if (pathname === '/auth/v1/.well-known/jwks.json') {
      return json(tokens.jwks, 200, { 'cache-control': 'public, max-age=600' })
    }

    const key = request.headers.get('apikey') ?? searchParams.get('apikey')
    if (!key) {
      return gatewayError(
        401,
        'No API key found in request',
        'No `apikey` request header or url param was found.',
      )
    }
    if (key !== config.publishableKey && key !== config.secretKey) {
      return gatewayError(
        401,
        'Invalid API key',
        'Double check your Supabase `anon` or `service_role` API key.',
      )
    }
    const isSecretKey = key === config.secretKey
    // Only a server with the secret key is believed about whom it speaks for.
    const forwarded = isSecretKey ? request.headers.get('sb-forwarded-for')?.split(',')[0]?.trim() : undefined
    const clientAddress = forwarded || peer
    return area === 'auth' ? auth({ request, clientAddress, isSecretKey }) : rest(request, clientAddress)
  }

  const answer = async (request: Request, bindings: HttpBindings): Promise<Response> => {
    if (!isLocalHost(request.headers.get('host'))) return gatewayError(421, 'Not a local address')
    const control = await faults.control(request)
    if (control) return control
    const fault = faults.play(bindings)
    if (fault) return fault
    const isRest = new URL(request.url).pathname.startsWith('/rest/')
    if (faults.mode === '503') return unavailable(isRest)
    try {
      const response = await route(request, bindings)
      // With the database away the engine says 500, or that a function does not exist.
      const suspicious = response.status >= 500 || (isRest && response.status === 404)
      return suspicious && !(await databaseAnswers()) ? unavailable(isRest) : response
    } catch (error) {
      if (!(await databaseAnswers())) return unavailable(isRest)
      console.error('request failed:', error)
      return isRest
        ? restError(500, 'XX000', 'Internal error')
        : authError(
            500,
            'unexpected_failure',
            'Unexpected failure, please check server logs for more information',
          )
    }
  }

  const databaseAnswers = async (): Promise<boolean> => {
    const patience = new Promise<false>((resolve) => setTimeout(() => resolve(false), DATABASE_PATIENCE_MS))
    return Promise.race([engine.sql`select 1`.then(() => true).catch(() => false), patience])
  }

  const listening = await listen(answer, config.port)
  return {
    port: listening.port,
    async close() {
      await listening.close()
      await engine.close()
    },
  }
}

const DATABASE_PATIENCE_MS = 1_500

function unavailable(isRest: boolean): Response {
  return isRest
    ? restError(503, 'PGRST002', 'Could not query the database for the schema cache. Retrying.')
    : authError(503, 'unexpected_failure', 'Service unavailable')
}
