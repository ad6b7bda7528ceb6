import { AppError, isAppError } from './errors'
import { logFailure } from './log-failure'
import { processWide } from './process-wide'
import { inRequest, readRequestId } from './request-context'

/** Errors that have their record. */
export const told = processWide('told', () => new WeakSet<Error>())

/** The path and the headers stay out: the pattern of the route says where it was. */
export const logRequestError = (
  error: unknown,
  request: { method: string; headers: NodeJS.Dict<string | string[]> },
  context: { routePath: string; routeType: string },
): void => {
  if (error instanceof Error) told.add(error)
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
