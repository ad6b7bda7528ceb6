import type postgres from 'postgres'
import { authError, json } from './answers.ts'

/** The part of Auth's admin addresses an operator needs: list, look at and delete users. Secret key only. */
export async function adminUsers(
  request: Request,
  sql: postgres.Sql,
  isSecretKey: boolean,
): Promise<Response> {
  if (!isSecretKey) return authError(403, 'not_admin', 'User not allowed')
  const url = new URL(request.url)
  const id = /^\/auth\/v1\/admin\/users\/([0-9a-f-]{36})$/.exec(url.pathname)?.[1]

  if (!id) {
    if (request.method !== 'GET') return authError(405, 'method_not_allowed', 'Method not allowed')
    const perPage = Math.min(1000, Number(url.searchParams.get('per_page')) || 50)
    const page = Math.max(1, Number(url.searchParams.get('page')) || 1)
    const users = await sql`
      select ${columns(sql)} from auth.users order by created_at desc limit ${perPage} offset ${(page - 1) * perPage}`
    return json({ users, aud: 'authenticated' })
  }

  const [user] = await sql`select ${columns(sql)} from auth.users where id = ${id}`
  if (!user) return authError(404, 'user_not_found', 'User not found')
  if (request.method === 'GET') return json(user)
  if (request.method !== 'DELETE') return authError(405, 'method_not_allowed', 'Method not allowed')
  try {
    await sql`delete from auth.users where id = ${id}`
    return json({})
  } catch {
    // A table of ours still points to the user.
    return authError(500, 'unexpected_failure', 'Database error deleting user')
  }
}

function columns(sql: postgres.Sql) {
  return sql`id, aud, role, email, coalesce(phone, '') as phone, email_confirmed_at, confirmed_at, last_sign_in_at,
    raw_app_meta_data as app_metadata, raw_user_meta_data as user_metadata, is_anonymous, created_at, updated_at`
}
