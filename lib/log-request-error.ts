import { AppError, isAppError } from './errors'
import { logFailure } from './log-failure'
import { inRequest, readRequestId } from './request-context'

/** The path and the headers stay out: the pattern of the route says where it was. */
export const logRequestError = (
  error: unknown,
  request: { method: string; headers: NodeJS.Dict<string | string[]> },
  context: { routePath: string; routeType: string },
): void => {
  const given = request.headers['x-request-id']
  const requestId = readRequestId(typeof given === 'string' ? given : null) ?? crypto.randomUUID()
  inRequest(requestId, () => {
    const known = isAppError(error) ? error : new AppError('internal')
    logFailure(context.routeType, known, error, {
      route: context.routePath,
      method: request.method,
      digest: digestOf(error),
    })
  })
}

/** What the person sees on the page as the number to quote. */
function digestOf(error: unknown): string | undefined {
  return error instanceof Error && 'digest' in error && typeof error.digest === 'string'
    ? error.digest
    : undefined
}
