import 'server-only'
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '../errors'

/** Our bodies are small: whoever needs longer for one keeps a connection busy on purpose, or has lost it. */
const BODY_DEADLINE_MS = 10_000

type Started = { request: IncomingMessage; response: ServerResponse }

/**
 * Give up on a request whose body has not come in time, with 408. Next collects bodies behind middleware before any code of
 * ours runs, and waits for them as long as Node does: five minutes.
 */
export function giveUpSlowBodies(): void {
  subscribe('http.server.request.start', (message) => {
    const { request, response } = message as Started
    if (request.method === 'GET' || request.method === 'HEAD') return
    const timer = setTimeout(() => {
      if (!request.complete && !response.headersSent) giveUp(request, response)
    }, BODY_DEADLINE_MS)
    timer.unref()
    response.on('close', () => clearTimeout(timer))
  })
}

function giveUp(request: IncomingMessage, response: ServerResponse): void {
  const { code, message, status } = new AppError('body_too_slow')
  const requestId = String(request.headers['x-request-id'])
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'x-request-id': requestId,
    connection: 'close',
  })
  response.end(JSON.stringify({ error: { code, message, requestId } }), () => request.destroy())
}
