import { createPublicKey } from 'node:crypto'
import { decodeJwt, errors, importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import type postgres from 'postgres'

/** Why a token was refused, in the two groups hosted distinguishes. */
export class BadTokenError extends Error {
  override readonly name = 'BadTokenError'
  readonly reason: 'claims' | 'signature'

  constructor(reason: 'claims' | 'signature', message: string) {
    super(message)
    this.reason = reason
  }
}

export type Tokens = {
  jwks: { keys: JWK[] }
  /** The claims of a token we signed ourselves. @throws BadTokenError */
  verify(token: string): Promise<JWTPayload>
  /** Turn the engine's token into the one hosted would have given: ES256 and all claims. */
  issue(engineToken: string): Promise<string>
  /** Turn a verified token into the one the engine understands. */
  forEngine(claims: JWTPayload): Promise<string>
}

export const AUDIENCE = 'authenticated'

export async function createTokens(options: {
  signingKey: JWK
  issuer: string
  innerSecret: string
  sql: postgres.Sql
}): Promise<Tokens> {
  const { issuer, sql } = options
  const { kid, alg = 'ES256' } = options.signingKey
  const privateKey = await importJWK(options.signingKey, alg)
  const publicJwk = createPublicKey({ key: { ...options.signingKey }, format: 'jwk' }).export({
    format: 'jwk',
  })
  const publicKey = await importJWK(publicJwk as JWK, alg)
  const innerKey = new TextEncoder().encode(options.innerSecret)

  return {
    jwks: { keys: [{ ...(publicJwk as JWK), kid, alg, use: 'sig', key_ops: ['verify'], ext: true }] },

    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [alg],
          issuer,
          audience: AUDIENCE,
        })
        return payload
      } catch (error) {
        throw badToken(error)
      }
    },

    async issue(engineToken) {
      const { sub, email, role, session_id: sessionId, iat, exp } = decodeJwt<SessionClaims>(engineToken)
      const [user] = await sql<UserClaims[]>`
        select raw_app_meta_data as app, raw_user_meta_data as metadata, is_anonymous as anonymous, phone
        from auth.users where id = ${sub ?? null}`
      const methods = await sql<{ method: string; timestamp: number }[]>`
        select authentication_method as method, extract(epoch from updated_at)::int as timestamp
        from auth.mfa_amr_claims where session_id = ${sessionId} order by updated_at desc`
      const claims = {
        email: email ?? '',
        phone: user?.phone ?? '',
        app_metadata: user?.app ?? {},
        user_metadata: user?.metadata ?? {},
        role: role ?? 'authenticated',
        aal: 'aal1',
        amr: [...methods],
        session_id: sessionId,
        is_anonymous: user?.anonymous ?? false,
      }
      return new SignJWT(await afterHook(sql, sub ?? '', claims))
        .setProtectedHeader({ alg, typ: 'JWT', ...(kid ? { kid } : {}) })
        .setIssuer(issuer)
        .setSubject(sub ?? '')
        .setAudience(AUDIENCE)
        .setIssuedAt(iat)
        .setExpirationTime(exp ?? 0)
        .sign(privateKey)
    },

    forEngine: (claims) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(innerKey),
  }
}

/**
 * Hosted hands the claims to the function that config.toml names for it, as the role of Auth, and signs what comes back. A
 * database that has no such function is one without the hook.
 */
async function afterHook(sql: postgres.Sql, userId: string, claims: Claims): Promise<Claims> {
  const [known] = await sql`select to_regprocedure('private.access_token_claims(jsonb)') is not null as hook`
  if (!known?.hook) return claims
  return await sql.begin(async (transaction) => {
    await transaction`set local role supabase_auth_admin`
    const event = transaction.json({
      user_id: userId,
      claims,
      authentication_method: claims.amr[0]?.method ?? '',
    } as never)
    const [row] = await transaction`select private.access_token_claims(${event}) -> 'claims' as claims`
    return row?.claims as Claims
  })
}

type Claims = JWTPayload & { amr: { method: string; timestamp: number }[] }

export type SessionClaims = { email?: string; role?: string; session_id: string }
type UserClaims = { app: object | null; metadata: object | null; anonymous: boolean; phone: string | null }

function badToken(error: unknown): BadTokenError {
  if (error instanceof errors.JWTExpired) return new BadTokenError('claims', 'JWT expired')
  if (error instanceof errors.JWTClaimValidationFailed && error.claim === 'aud') {
    return new BadTokenError('claims', 'JWT not in audience')
  }
  return new BadTokenError('signature', 'No suitable key was found to decode the JWT')
}
