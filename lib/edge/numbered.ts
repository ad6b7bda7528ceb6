import { type NextRequest, NextResponse } from 'next/server'
import { AppError, type ErrorCode } from '../errors'
import { logFailure } from '../log-failure'
import { inRequest, readRequestId } from '../request-context'
import { rateLimitHeaders } from './rate-limit-headers'
import type { Taken } from './take-limits'

type Gates = (request: NextRequest, requestId: string) => Promise<NextResponse>

/** Pass a request through the gates under its id. What they throw is logged here and answered 500, bare. */
export function numbered(gates: Gates, { isOnPlatform }: { isOnPlatform: boolean }) {
  return async (request: NextRequest): Promise<NextResponse> => {
    // A platform runs middleware apart from the app: nobody has given the request an id yet, whatever a header says.
    const given = isOnPlatform ? null : readRequestId(request.headers.get('x-request-id'))
    return await inRequest(given ?? crypto.randomUUID(), async (requestId) => {
      try {
        return await gates(request, requestId)
      } catch (error) {
        logFailure('middleware', new AppError('internal'), error)
        return refused('internal', requestId)
      }
    })
  }
}

/**
 * A refusal of a gate, logged, in the form of any other.
 * @param taken the limits, where they are the reason
 */
export function refused(code: ErrorCode, requestId: string, taken?: Taken): NextResponse {
  const error = new AppError(code)
  if (code !== 'internal') logFailure('middleware', error, error, { window: taken?.refusedBy })
  const response = NextResponse.json(
    { error: { code, message: error.message, requestId } },
    { status: error.status, headers: taken && rateLimitHeaders(taken.standings) },
  )
  if (taken) response.headers.set('retry-after', String(taken.retryAfterSeconds))
  response.headers.set('cache-control', 'no-store')
  response.headers.set('x-request-id', requestId)
  return response
}
