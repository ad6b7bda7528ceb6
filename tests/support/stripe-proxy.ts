import { createServer, type IncomingMessage } from 'node:http'

type Answer = { status: number; body: unknown }

export type StripeProxy = {
  url: string
  /** When each request came in (ms) and for which path, oldest first. */
  requests: { at: number; path: string }[]
  /** The most requests that came in within any one second. */
  mostInASecond(): number
  close(): Promise<void>
}

/** Between the app and the local Stripe: counts, and answers by itself where `answer` says so. */
export async function startStripeProxy(
  target: string,
  answer: (path: string, query: URLSearchParams) => Answer | undefined = () => undefined,
): Promise<StripeProxy> {
  const requests: StripeProxy['requests'] = []
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', target)
    requests.push({ at: performance.now(), path: pathname })
    const own = answer(pathname, searchParams) ?? (await passOn(target, request))
    response.writeHead(own.status, { 'content-type': 'application/json', 'request-id': 'req_proxy' })
    response.end(typeof own.body === 'string' ? own.body : JSON.stringify(own.body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on a port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    mostInASecond: () =>
      Math.max(
        0,
        ...requests.map(
          ({ at }) => requests.filter((other) => other.at >= at && other.at < at + 1000).length,
        ),
      ),
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function passOn(target: string, request: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    ['host', 'connection', 'content-length', 'transfer-encoding'].includes(name) || value === undefined
      ? []
      : [[name, String(value)] as [string, string]],
  )
  const answer = await fetch(new URL(request.url ?? '/', target), {
    method: request.method,
    headers,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  })
  return { status: answer.status, body: await answer.text() }
}
