import { type NextRequest, NextResponse } from 'next/server'

type Settings = { isHttps: boolean; appOrigin: string; trustedProxyHops: number }

/**
 * Send a page request that reached our proxy over plain http to https. An API call is refused instead: its body has
 * been on the wire in the clear, and the caller should notice.
 */
export function httpsRedirect(request: NextRequest, settings: Settings): NextResponse | null {
  if (!settings.isHttps || isSecure(request.headers, settings)) return null
  const { pathname, search } = request.nextUrl
  if (pathname.startsWith('/api/')) {
    const error = { code: 'https_required', message: 'Use https.', requestId: crypto.randomUUID() }
    return NextResponse.json({ error }, { status: 403 })
  }
  return NextResponse.redirect(new URL(pathname + search, settings.appOrigin), 308)
}

/** By the scheme a trusted proxy says; without one, the deployment answers for it. */
export function isSecure(headers: Headers, settings: Settings): boolean {
  if (!settings.isHttps || settings.trustedProxyHops === 0) return true
  const scheme = headers.get('x-forwarded-proto')?.split(',').at(-1)?.trim()
  return scheme === 'https'
}
