import type { Context, MiddlewareHandler } from 'hono'
import type { z } from 'zod'
import { COMMON_HEADERS } from '../browser/headers.ts'
import { ownOrigins, type ResolvedConfig } from '../config.ts'
import type { Store } from '../core/store.ts'
import { automaticCall, type Call } from '../http/call.ts'
import { StripeError } from '../http/errors.ts'
import { type Html, messagePage } from './pages/layout.ts'
import type { PayOutcome } from './pay-session.ts'

/**
 * These pages are framed by nobody, run no script but ours and talk to nobody but us. A form that is posted without any referrer
 * would hide where it came from, so this origin may know.
 */
const HEADERS = {
  ...COMMON_HEADERS,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'same-origin',
}

export function page(c: Context, body: Html, status: 200 | 400 | 404 | 410 = 200) {
  return c.html(body, status, HEADERS)
}

/** Nobody else's page may pay, cancel or add a card here, whatever it knows. */
export function ownPagesPost(config: ResolvedConfig): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'POST' && !ownOrigins(config).includes(c.req.header('origin') ?? '')) {
      return c.json(
        { kind: 'declined', message: 'This page belongs to another origin.' },
        403,
        COMMON_HEADERS,
      )
    }
    await next()
  }
}

/** One transaction, as a browser would be allowed to: a card may be typed in, and nobody's request is named in the events. */
export function asCustomer<T>(store: Store, work: (call: Call) => T): T {
  return store.transaction(() => work({ ...automaticCall(store), key: 'publishable' }))
}

/** The JSON of a page's own request. @throws StripeError when it is not what the page sends. */
export async function readJson<T extends z.ZodType>(c: Context, schema: T): Promise<z.infer<T>> {
  const parsed = schema.safeParse(await c.req.json().catch(() => null))
  if (parsed.success) return parsed.data
  throw new StripeError(400, { type: 'invalid_request_error', message: 'The form is not complete.' })
}

export function tell(c: Context, outcome: PayOutcome, redirectTo: string | null) {
  if (outcome.kind === 'challenge') return c.json({ redirectTo: outcome.url }, 200, COMMON_HEADERS)
  if (outcome.kind === 'complete') return c.json({ redirectTo }, 200, COMMON_HEADERS)
  return c.json({ message: outcome.message }, 200, COMMON_HEADERS)
}

/** What a person is told about an error of ours or theirs. */
export function answerError(error: Error, c: Context) {
  if (!(error instanceof StripeError)) throw error
  const wantsJson = c.req.header('content-type')?.startsWith('application/json') ?? false
  if (wantsJson) return c.json({ message: error.body.message }, 200, COMMON_HEADERS)
  const gone = error.status === 404
  const text = gone
    ? 'The address may be incomplete, or the sandbox was reset. Nothing was charged by opening it.'
    : error.body.message
  return page(c, messagePage(gone ? 'This page does not exist' : 'That did not work', text), gone ? 404 : 400)
}
