import 'server-only'
import { z } from 'zod'
import { isFromUs } from './edge/same-origin'
import { env } from './env'
import { AppError, isAppError } from './errors'
import { type Gate, gateOf } from './gate'
import { logFailure } from './log-failure'
import { inRequest, readRequestId } from './request-context'

const MAX_JSON_BYTES = 64 * 1024

/**
 * Wrap a route handler: first the gates of the route table, then the handler. An AppError becomes
 * `{error: {code, message, requestId}}` with its status; anything else is logged under the same request id and answered 500,
 * bare.
 */
export function route<Context>(handle: (request: Request, context: Context) => Promise<Response>) {
  return (request: Request, context: Context): Promise<Response> =>
    inRequest(requestIdOf(request), async (requestId) => {
      let gate: Gate | undefined
      try {
        gate = gateOf(request)
        await gate.pass()
        const response = await handle(request, context)
        response.headers.set('x-request-id', requestId)
        return gate.finish(response)
      } catch (error) {
        const response = errorResponse(error, requestId)
        return gate?.finish(response) ?? response
      }
    })
}

/** @param error an AppError is told as it is; anything else only to the log. */
export function errorResponse(error: unknown, requestId: string): Response {
  const known = isAppError(error) ? error : new AppError('internal')
  logFailure('route', known, error)
  const response = json({ error: { code: known.code, message: known.message, requestId } }, known.status)
  if (known.retryAfterSeconds !== null) response.headers.set('retry-after', String(known.retryAfterSeconds))
  response.headers.set('x-request-id', requestId)
  return response
}

/** Private by default: no cache between us and the person may keep an answer. */
export function json(body: unknown, status = 200): Response {
  return Response.json(body, {
    status,
    headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
  })
}

/**
 * The body as the schema wants it.
 * @throws AppError unsupported_type, body_too_large or bad_request (also for a key the schema does not name).
 */
export async function readJson<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? ''))
    throw new AppError('unsupported_type')
  const bytes = await readBody(request, MAX_JSON_BYTES)
  const parsed = schema.safeParse(parseJson(new TextDecoder().decode(bytes)))
  if (!parsed.success) throw new AppError('bad_request')
  return parsed.data
}

/**
 * The raw bytes, counted as they come in: neither Content-Length nor its absence is believed.
 * @throws AppError body_too_large as soon as there are more than maxBytes.
 */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw new AppError('body_too_large')
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new AppError('body_too_large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** @throws AppError foreign_origin unless the request says it comes from our own pages. A missing Origin is refused. */
export function requireSameOrigin(request: { headers: Headers }): void {
  if (!isFromUs(request.headers, env().appOrigin)) throw new AppError('foreign_origin')
}

/** @throws AppError idempotency_key_required when the header is missing or not 1-255 printable ASCII characters. */
export function requireIdempotencyKey(request: Request): string {
  const key = request.headers.get('idempotency-key') ?? ''
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw new AppError('idempotency_key_required')
  return key
}

/** @throws AppError not_found: to a stranger, what is no id and what is not theirs look alike. */
export function requireUuid(text: string): string {
  if (!z.uuid().safeParse(text).success) throw new AppError('not_found')
  return text.toLowerCase()
}

/** The id this request has since it came in, or a new one where nothing gave it one. */
function requestIdOf(request: Request): string {
  return readRequestId(request.headers.get('x-request-id')) ?? crypto.randomUUID()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new AppError('bad_request')
  }
}
