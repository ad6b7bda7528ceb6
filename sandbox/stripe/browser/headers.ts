/** For everything a browser gets from here: nothing is cached, sniffed, or told where the visitor came from. */
export const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/**
 * Pages may be framed by the shop only, load nothing but our own files, and call nothing but our own API. That last
 * part is what keeps a card number on this origin even if a script here were wrong.
 */
export function pageHeaders(appOrigin: string): Record<string, string> {
  return {
    ...COMMON_HEADERS,
    'content-security-policy': [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      `frame-ancestors ${appOrigin}`,
    ].join('; '),
    'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  }
}
