import { type NextRequest, NextResponse } from 'next/server'
import { addressKey, clientAddress } from './lib/edge/client-address'
import { contentSecurityPolicy } from './lib/edge/csp'
import { countRequest } from './lib/edge/fixed-window'
import { httpsRedirect } from './lib/edge/https'
import { limitFor } from './lib/edge/limits'
import { numbered, tooMany } from './lib/edge/numbered'
import { refreshSession } from './lib/edge/refresh-session'
import { env } from './lib/env'

/**
 * The order of the gates, nothing else. All of it is comfort: every page, action and route authorises again.
 */
export const middleware = numbered(gates, { isOnPlatform: process.env.VERCEL !== undefined })

async function gates(request: NextRequest, requestId: string): Promise<NextResponse> {
  const settings = env()

  const redirect = httpsRedirect(request, settings)
  if (redirect) return redirect

  const limit = limitFor(request)
  if (limit) {
    const address = clientAddress(request.headers, settings.trustedProxyHops)
    const window = address ? limit : { ...limit, name: `${limit.name}:shared`, limit: limit.limit * 100 }
    const verdict = await countRequest(window, address ? addressKey(address) : 'all')
    if (!verdict.allowed) return tooMany(window.name, verdict.retryAfterSeconds, requestId)
  }

  const nonce = btoa(crypto.randomUUID())
  const policy = contentSecurityPolicy({
    path: request.nextUrl.pathname,
    nonce,
    isHttps: settings.isHttps,
    isDevelopment: process.env.NODE_ENV === 'development',
    localStripeOrigin: settings.stripe.apiBase ? new URL(settings.stripe.apiBase).origin : null,
  })
  const response = await refreshSession(request, () => {
    const headers = new Headers(request.headers)
    headers.set('x-request-id', requestId)
    headers.set('x-nonce', nonce)
    headers.set('content-security-policy', policy)
    return NextResponse.next({ request: { headers } })
  })
  response.headers.set('content-security-policy', policy)
  response.headers.set('x-request-id', requestId)
  return response
}

export const config = {
  // Stripe, cron and health checks come without a browser; built files need no gate.
  matcher: ['/((?!_next/static|_next/image|api/payments/webhook|api/cron|api/health|icon.svg).*)'],
}
