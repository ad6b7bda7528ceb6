/** The shapes hosted answers in: Auth, REST and the gateway before them each have their own. */

export function authError(status: number, code: string, message: string): Response {
  return json({ code: status, error_code: code, msg: message }, status, { 'x-sb-error-code': code })
}

export function restError(status: number, code: string, message: string): Response {
  const headers: Record<string, string> =
    status === 401
      ? { 'www-authenticate': `Bearer error="invalid_token", error_description="${message}"` }
      : {}
  return json({ code, details: null, hint: null, message }, status, headers)
}

export function gatewayError(status: number, message: string, hint?: string): Response {
  return json({ message, ...(hint ? { hint } : {}) }, status)
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return Response.json(body, {
    status,
    headers: { 'access-control-allow-origin': '*', 'cache-control': 'no-store', ...headers },
  })
}
