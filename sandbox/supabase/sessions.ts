import type postgres from 'postgres'
import { authError } from './answers.ts'

/** A used refresh token may come again this soon: two tabs, or an answer that got lost on its way. */
export const REUSE_INTERVAL_SECONDS = 10

export type RefreshDecision = { kind: 'pass'; token: string } | { kind: 'reused' } | { kind: 'unknown' }

/**
 * Hosted's rule for a refresh token that was used before: the parent of the newest one is welcome (the client
 * may have missed the answer), anything older only within the interval; else the whole family is revoked.
 */
export async function judgeRefreshToken(sql: postgres.Sql, token: string): Promise<RefreshDecision> {
  const [used] = await sql<{ sessionId: string | null; revoked: boolean; age: number }[]>`
    select session_id as "sessionId", revoked, extract(epoch from now() - updated_at)::float8 as age
    from auth.refresh_tokens where token = ${token}`
  if (!used) return { kind: 'unknown' }
  if (!used.revoked || !used.sessionId) return { kind: 'pass', token }

  const [active] = await sql<{ parent: string | null }[]>`
    select parent from auth.refresh_tokens
    where session_id = ${used.sessionId} and not revoked order by created_at desc limit 1`
  if (active?.parent === token) return { kind: 'pass', token }
  // The engine answers the parent with the newest token, so it is asked as if that had come.
  if (active?.parent && used.age <= REUSE_INTERVAL_SECONDS) return { kind: 'pass', token: active.parent }

  await sql`update auth.refresh_tokens set revoked = true, updated_at = now() where session_id = ${used.sessionId}`
  return { kind: 'reused' }
}

/** Remember how a session was started; a refresh keeps what is there. */
export async function recordMethod(
  sql: postgres.Sql,
  sessionId: string,
  method: 'password' | 'otp',
): Promise<void> {
  await sql`
    insert into auth.mfa_amr_claims (session_id, authentication_method) values (${sessionId}, ${method})
    on conflict do nothing`
}

/** Hosted looks up the session behind every token it is shown: once it has ended, or its owner is banned, the token is void. */
export async function refuseEnded(
  sql: postgres.Sql,
  session: { sub?: string; session_id: string },
): Promise<Response | null> {
  const [user] = await sql<{ banned: boolean; signedIn: boolean }[]>`
    select coalesce(banned_until > now(), false) as banned,
      exists (select from auth.sessions where user_id = u.id and id = ${session.session_id}) as "signedIn"
    from auth.users u where id = ${session.sub ?? null}`
  if (!user) return authError(403, 'user_not_found', 'User from sub claim in JWT does not exist')
  if (user.banned) return authError(403, 'user_banned', 'User is banned')
  return user.signedIn
    ? null
    : authError(403, 'session_not_found', 'Session from session_id claim in JWT does not exist')
}

/** Whether who signs in by this address, or holds this refresh token, is banned. */
export async function isBanned(
  sql: postgres.Sql,
  by: { email?: string; refreshToken?: string },
): Promise<boolean> {
  const [row] = await sql`
    select from auth.users u where u.banned_until > now() and (u.email = ${by.email?.toLowerCase() ?? ''}
      or exists (select from auth.refresh_tokens t where t.user_id = u.id and t.token = ${by.refreshToken ?? ''}))`
  return row !== undefined
}

/** A new password ends every other session of its owner. */
export async function endOtherSessions(sql: postgres.Sql, userId: string, sessionId: string): Promise<void> {
  await sql`delete from auth.sessions where user_id = ${userId} and id <> ${sessionId}`
}

/** Hosted tells that an address is unconfirmed only to somebody who knows its password. */
export async function knowsPassword(sql: postgres.Sql, email: string, password: string): Promise<boolean> {
  // pgcrypto reads bcrypt under its old mark only; for passwords up to 72 bytes they mean the same.
  const [row] = await sql<{ matches: boolean }[]>`
    with known as (
      select '$2a$' || substr(encrypted_password, 5) as hash from auth.users where email = ${email.toLowerCase()}
    )
    select extensions.crypt(${password}, hash) = hash as matches from known`
  return row?.matches ?? false
}
