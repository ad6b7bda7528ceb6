import { findHandlerRule } from './find-rule'

/** How long a browser may remember that a listed origin may ask. */
const REMEMBER_SECONDS = 600

/**
 * What an answer says to a browser on another origin: nothing, unless that very origin is listed and the address is meant
 * for it. Never `*`, never a part of a name.
 */
export function corsHeaders(
  request: { method: string; headers: Headers },
  pathname: string,
  allowedOrigins: readonly string[],
): Record<string, string> {
  const origin = request.headers.get('origin')
  if (allowedOrigins.length === 0 || !findHandlerRule(request.method, pathname)?.cors) return {}
  if (origin === null || !allowedOrigins.includes(origin)) return { vary: 'origin' }
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-credentials': 'true',
    'access-control-expose-headers': 'ratelimit, ratelimit-policy, retry-after, x-request-id',
    vary: 'origin',
  }
}

/** The answer to a browser that asks whether it may ask, or null when it may not or did not ask that. */
export function preflightHeaders(
  headers: Headers,
  pathname: string,
  allowedOrigins: readonly string[],
): Record<string, string> | null {
  const method = headers.get('access-control-request-method')
  if (method === null) return null
  const allowed = corsHeaders({ method, headers }, pathname, allowedOrigins)
  if (!('access-control-allow-origin' in allowed)) return null
  return {
    ...allowed,
    'access-control-allow-methods': method,
    'access-control-allow-headers': 'content-type, idempotency-key',
    'access-control-max-age': String(REMEMBER_SECONDS),
  }
}
