import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Store } from '../core/store.ts'
import { StripeError } from '../http/errors.ts'
import { type Fault, findFault } from './faults.ts'

const LOOK_AGAIN_MS = 10

/** Never answers: the connection is dealt with here. */
const NO_ANSWER = new Promise<Response>(() => {})

/**
 * What goes wrong before anything is done. Null: go on. Nothing of this touches the idempotency key.
 * @throws StripeError for the errors in Stripe's own shape.
 */
export async function playBefore(faults: readonly Fault[], c: Context): Promise<Response | null> {
  const slow = findFault(faults, 'before.slow')
  if (slow) await sleep(slow.ms)
  for (const { name } of faults) {
    if (name === 'before.reset') return reset(c)
    if (name === 'before.notJson') {
      const body = '<html><body><h1>502 Bad Gateway</h1></body></html>'
      return new Response(body, { status: 502, headers: { 'Content-Type': 'text/html' } })
    }
    if (name === 'before.error500') throw refusal(500, 'api_error', 'Something went wrong on our end.')
    if (name === 'before.error503')
      throw refusal(503, 'api_error', 'The service is unavailable for the moment.')
    if (name === 'before.rateLimit')
      throw refusal(429, 'invalid_request_error', 'Too many requests.', 'rate_limit')
    if (name === 'before.keyInUse') {
      throw refusal(
        409,
        'idempotency_error',
        'There is currently another in-progress request using this Idempotent Key.',
        'idempotency_key_in_use',
      )
    }
  }
  return null
}

/** The call was done; this is what becomes of its answer. `answer` is as it would have been sent. */
export async function playAfter(
  faults: readonly Fault[],
  c: Context,
  store: Store,
  requestId: string,
  answer: Response,
): Promise<Response> {
  const first = findFault(faults, 'after.webhookFirst')
  if (first) await webhooksTried(store, requestId, first.ms)
  const hang = findFault(faults, 'after.hang')
  if (hang) {
    await sleep(hang.ms, undefined, { ref: false })
    return reset(c)
  }
  if (findFault(faults, 'after.reset')) return reset(c)
  if (findFault(faults, 'after.truncated')) return truncated(c, answer)
  return answer
}

/** The answer that hides what was done, and is kept for repetitions (stripe.I2). */
export function hidingError(requestId: string): { status: number; body: string; requestId: string } {
  const { body, status } = refusal(500, 'api_error', 'Something went wrong on our end.')
  return { status, body: JSON.stringify({ error: body }, null, 2), requestId }
}

function refusal(
  status: number,
  type: 'api_error' | 'invalid_request_error' | 'idempotency_error',
  what: string,
  code?: string,
) {
  const message = `${what} (local stand-in: on purpose)`
  return new StripeError(status, { type, message, ...(code ? { code } : {}) }, { beforeExecution: true })
}

function reset(c: Context): Promise<Response> {
  bindings(c).incoming.socket.resetAndDestroy()
  return NO_ANSWER
}

/** The head promises more than comes. */
async function truncated(c: Context, answer: Response): Promise<Response> {
  const { outgoing } = bindings(c)
  const body = Buffer.from(await answer.arrayBuffer())
  outgoing.writeHead(answer.status, { ...Object.fromEntries(answer.headers), 'content-length': body.length })
  outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.socket?.destroySoon())
  return NO_ANSWER
}

function bindings(c: Context): HttpBindings {
  return c.env as HttpBindings
}

/** Wait until each event of the call was sent once, to whomever it concerns. */
async function webhooksTried(store: Store, requestId: string, withinMs: number): Promise<void> {
  const untried = store.db.prepare(
    `select 1 from deliveries d join events e on e.id = d.event
     where e.request_id = ? and d.state = 'pending' and d.attempts = 0 limit 1`,
  )
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline && untried.get(requestId)) await sleep(LOOK_AGAIN_MS)
}
