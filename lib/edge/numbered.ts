import { type NextRequest, NextResponse } from 'next/server'
import { AppError, type ErrorCode } from '../errors'
import { log } from '../log'
import { logFailure } from '../log-failure'
import { inRequest, readRequestId } from '../request-context'

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

/** @param window the name of the limit that was hit */
export function tooMany(window: string, retryAfterSeconds: number, requestId: string): NextResponse {
  log.security('limit_hit', { handler: 'middleware', window })
  const response = refused('too_many_requests', requestId)
  response.headers.set('retry-after', String(retryAfterSeconds))
  return response
}

function refused(code: ErrorCode, requestId: string): NextResponse {
  const { message, status } = new AppError(code)
  const response = NextResponse.json({ error: { code, message, requestId } }, { status })
  response.headers.set('cache-control', 'no-store')
  response.headers.set('x-request-id', requestId)
  return response
}
