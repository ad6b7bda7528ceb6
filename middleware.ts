import { type NextRequest, NextResponse } from 'next/server'
import { addressHoldsCardNumber } from './lib/edge/card-number'
import { clientAddress } from './lib/edge/client-address'
import { preflightHeaders } from './lib/edge/cors'
import { contentSecurityPolicy, REPORTING_ENDPOINTS } from './lib/edge/csp'
import { findRule } from './lib/edge/find-rule'
import { writeNotes } from './lib/edge/gate-notes'
import { httpsRedirect } from './lib/edge/https'
import { numbered, refused } from './lib/edge/numbered'
import { rateLimitHeaders } from './lib/edge/rate-limit-headers'
import { refreshSession } from './lib/edge/refresh-session'
import { isFromUs } from './lib/edge/same-origin'
import { takeLimits } from './lib/edge/take-limits'
import { env } from './lib/env'
import { isDevelopment, isOnPlatform } from './lib/public-env'

/**
 * The order of the gates, nothing else: what each asks of a request is in lib/edge/route-table.ts. All of it is comfort:
 * every page, action and route authorises again.
 */
export const middleware = numbered(gates, { isOnPlatform })

async function gates(request: NextRequest, requestId: string): Promise<NextResponse> {
  const settings = env()
  const { pathname } = request.nextUrl

  const redirect = httpsRedirect(request, settings)
  if (redirect) return redirect

  const preflight =
    request.method === 'OPTIONS' && preflightHeaders(request.headers, pathname, settings.allowedOrigins)
  if (preflight) return new NextResponse(null, { status: 204, headers: preflight })

  const rule = findRule(request.method, pathname)
  const listed = 'cors' in rule && rule.cors ? settings.allowedOrigins : []
  if (rule.csrf === 'origin' && !isFromUs(request.headers, settings.appOrigin, listed))
    return refused('foreign_origin', requestId)
  if (addressHoldsCardNumber(request.nextUrl)) return refused('card_number_refused', requestId)
  if (rule.csrf === 'origin' && Number(request.headers.get('content-length')) > rule.maxBodyBytes)
    return refused('body_too_large', requestId)

  const address = clientAddress(request.headers, settings.trustedProxyHops)
  const taken = await takeLimits(rule.limits, { address }, rule.outage)
  if (taken.outcome !== 'allowed')
    return refused(taken.outcome === 'refused' ? 'too_many_requests' : 'unavailable', requestId, taken)

  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
  const policy = contentSecurityPolicy({
    path: pathname,
    nonce,
    isHttps: settings.isHttps,
    isDevelopment,
    localStripeOrigin: settings.stripe.apiBase ? new URL(settings.stripe.apiBase).origin : null,
  })
  const response = await refreshSession(request, () => {
    const headers = new Headers(request.headers)
    headers.set('x-request-id', requestId)
    headers.set('x-nonce', nonce)
    headers.set('content-security-policy', policy)
    // What a client says here would decide which Origin Next believes an action came from.
    headers.set('x-forwarded-host', new URL(settings.appOrigin).host)
    writeNotes(headers, taken)
    return NextResponse.next({ request: { headers } })
  })
  response.headers.set('content-security-policy', policy)
  response.headers.set('reporting-endpoints', REPORTING_ENDPOINTS)
  response.headers.set('x-request-id', requestId)
  if (!('cors' in rule)) {
    for (const [name, value] of Object.entries(rateLimitHeaders(taken.standings)))
      response.headers.set(name, value)
  }
  return response
}

export const config = {
  // Stripe, cron, health checks and reports want no page and no session; built files need no gate.
  matcher: [
    '/((?!_next/static|_next/image|api/payments/webhook|api/cron|api/health|api/csp-reports|icon.svg).*)',
  ],
}
