import 'server-only'
import type { NextRequest, NextResponse } from 'next/server'
import { env } from '../env'
import { sessionChanges } from './session-cookie'
import { SESSION_UNKNOWN, settleSession } from './settle-session'

/**
 * Renew an access token that has run out, so that pages (which cannot set cookies) see a valid one, and clear a session
 * that is over. Request and answer get the new cookie, and an answer that sets one is never cached.
 * @param respond makes the answer from the request as it then is; called again when the cookies changed
 */
export async function refreshSession(
  request: NextRequest,
  respond: () => NextResponse,
): Promise<NextResponse> {
  const cookies = request.cookies.getAll()
  const settled = await settleSession(cookies)
  request.headers.delete(SESSION_UNKNOWN)
  if (settled.kind === 'unknown') request.headers.set(SESSION_UNKNOWN, '1')
  if (settled.kind === 'unchanged' || settled.kind === 'unknown') return respond()

  const changes = sessionChanges(cookies, settled.kind === 'renewed' ? settled.session : null, env())
  for (const { name, value } of changes)
    value ? request.cookies.set(name, value) : request.cookies.delete(name)
  const response = respond()
  for (const { name, value, flags } of changes) response.cookies.set(name, value, flags)
  response.headers.set('cache-control', 'private, no-store')
  return response
}
