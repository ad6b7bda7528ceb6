import 'server-only'
import { z } from 'zod'
import { holdsCardNumber, holdsCardNumberDeep } from './edge/card-number'
import { findHandlerRule } from './edge/find-rule'
import { isFromUs } from './edge/same-origin'
import { env } from './env'
import { AppError, isAppError } from './errors'
import { type Gate, gateOf } from './gate'
import { parseJsonText } from './json-text'
import { logFailure } from './log-failure'
import { inRequest, readRequestId } from './request-context'

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

/** A file to keep, as private as any answer. */
export function csv(body: ReadableStream<Uint8Array>, fileName: string): Response {
  return new Response(body, {
    headers: {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="${fileName}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}

/**
 * The body as the schema wants it.
 * @throws AppError unsupported_type, body_too_large, card_number_refused or bad_request (also for a key the schema does not
 *   name, or that is there twice).
 */
export async function readJson<T>(request: Request, schema: z.ZodType<T>): Promise<T> {
  if (!hasType(request, ['application/json'])) throw new AppError('unsupported_type')
  return asTheSchemaWants(await readJsonBody(request), schema)
}

/** What a browser reports by itself, in its own forms. @throws AppError as readJson */
export async function readReport(request: Request): Promise<unknown> {
  const types = ['application/reports+json', 'application/csp-report', 'application/json']
  if (!hasType(request, types)) throw new AppError('unsupported_type')
  return await readJsonBody(request)
}

/** The query as the schema wants it. @throws AppError card_number_refused; bad_request, also for a name that is there twice */
export function readQuery<T>(request: Request, schema: z.ZodType<T>): T {
  const query = [...new URL(request.url).searchParams]
  const fields = Object.fromEntries(query)
  if (query.length !== Object.keys(fields).length) throw new AppError('bad_request')
  return asTheSchemaWants(fields, schema)
}

/**
 * The raw bytes, counted as they come in: neither Content-Length nor its absence is believed. How many there may be says the
 * route table.
 * @throws AppError body_too_large as soon as there are more; bad_request when the connection ends before the body does
 */
export async function readBody(request: Request): Promise<Uint8Array> {
  const maxBytes = findHandlerRule(request.method, new URL(request.url).pathname)?.maxBodyBytes ?? 0
  const chunks: Uint8Array[] = []
  let size = 0
  if (Number(request.headers.get('content-length') ?? 0) > maxBytes) throw new AppError('body_too_large')
  try {
    for await (const chunk of request.body ?? []) {
      size += chunk.byteLength
      if (size > maxBytes) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw new AppError('bad_request', { cause: error })
  }
  if (size > maxBytes) throw new AppError('body_too_large')
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
  if (holdsCardNumber(key)) throw new AppError('card_number_refused')
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

function hasType(request: Request, types: string[]): boolean {
  const [type = ''] = (request.headers.get('content-type') ?? '').split(';')
  return types.includes(type.trim().toLowerCase())
}

async function readJsonBody(request: Request): Promise<unknown> {
  const bytes = await readBody(request)
  try {
    return parseJsonText(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new AppError('bad_request')
  }
}

function asTheSchemaWants<T>(value: unknown, schema: z.ZodType<T>): T {
  if (holdsCardNumberDeep(value)) throw new AppError('card_number_refused')
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new AppError('bad_request')
  return parsed.data
}
