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
  const target = new URL(settings.appOrigin)
  target.pathname = pathname
  target.search = search
  return NextResponse.redirect(target, 308)
}

/**
 * By the scheme the outermost trusted proxy saw; without a trusted proxy, the deployment answers for it. Some proxies add
 * theirs to the list as they do for addresses, some replace it: a list that is shorter is taken at its first entry.
 */
export function isSecure(headers: Headers, settings: Settings): boolean {
  if (!settings.isHttps || settings.trustedProxyHops === 0) return true
  const schemes = (headers.get('x-forwarded-proto') ?? '').split(',').map((part) => part.trim())
  return (schemes.at(-settings.trustedProxyHops) ?? schemes[0]) === 'https'
}
