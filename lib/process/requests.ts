import 'server-only'
import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { processWide } from '../process-wide'
import { enterRequest, readRequestId } from '../request-context'

type Started = { request: IncomingMessage; response: ServerResponse; server: Server }

/** The requests this process is answering now, and the server they came to. */
export const traffic = processWide('traffic', () => ({
  server: null as Server | null,
  answering: new Set<ServerResponse>(),
  isEnding: false,
}))

/**
 * Give every request its id where it enters the process, before Next sees it: whatever happens on its behalf, in a route, an
 * action, a page or inside Next, then knows the id.
 * @param trustsHeader a platform runs middleware elsewhere and hands the id over in a header; anywhere else such a header is
 *   the client's invention and replaced
 */
export function numberRequests({ trustsHeader }: { trustsHeader: boolean }): void {
  subscribe('http.server.request.start', (message) => {
    const { request, response, server } = message as Started
    const given = trustsHeader ? readRequestId(String(request.headers['x-request-id'])) : null
    const requestId = given ?? crypto.randomUUID()
    request.headers['x-request-id'] = requestId
    enterRequest(requestId)

    traffic.server = server
    traffic.answering.add(response)
    response.on('close', () => traffic.answering.delete(response))
    if (traffic.isEnding) response.shouldKeepAlive = false
  })
}
