import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

type Answer = { status: number; body: unknown; headers?: Record<string, string> }

/** `reset`: it never arrives. The others: Stripe does it, and we do not hear of it. */
export type Fate = 'reset' | 'done, then reset' | 'done, then cut off' | 'done, then silence'

export type ProxiedRequest = {
  /** ms */
  at: number
  method: string
  path: string
  idempotencyKey: string | null
  version: string | null
}

export type StripeProxy = {
  url: string
  port: number
  /** Each request as it came in, oldest first. */
  requests: ProxiedRequest[]
  /** The most requests that came in within any one second. */
  mostInASecond(): number
  close(): Promise<void>
}

/**
 * Between the app and the local Stripe: counts, and answers by itself or loses the answer where `answer` says so.
 * @param keyAs what Stripe gets as the idempotency key: another one is a key that Stripe has forgotten
 */
export async function startStripeProxy(
  target: string,
  answer: (path: string, query: URLSearchParams, request: ProxiedRequest) => Answer | Fate | undefined = () =>
    undefined,
  keyAs: (key: string) => string = (key) => key,
): Promise<StripeProxy> {
  const requests: StripeProxy['requests'] = []
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', target)
    const proxied = {
      at: performance.now(),
      method: request.method ?? '',
      path: pathname,
      idempotencyKey: headerOf(request, 'idempotency-key'),
      version: headerOf(request, 'stripe-version'),
    }
    requests.push(proxied)
    const own = answer(pathname, searchParams, proxied)
    if (own === 'reset') return void response.socket?.resetAndDestroy()
    const given = own === undefined || typeof own === 'string' ? await passOn(target, request, keyAs) : own
    if (typeof own === 'string') return lose(own, response, given)
    response.writeHead(given.status, headersOf(given))
    response.end(textOf(given))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on a port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
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

function lose(fate: Exclude<Fate, 'reset'>, response: ServerResponse, given: Answer): void {
  if (fate === 'done, then reset') response.socket?.resetAndDestroy()
  if (fate !== 'done, then cut off') return
  const text = textOf(given)
  response.writeHead(given.status, { ...headersOf(given), 'content-length': Buffer.byteLength(text) })
  response.write(text.slice(0, text.length / 2), () => response.socket?.destroySoon())
}

/** What the SDK looks at besides the body. */
const PASSED_BACK = ['idempotent-replayed', 'retry-after', 'stripe-should-retry']

async function passOn(
  target: string,
  request: IncomingMessage,
  keyAs: (key: string) => string,
): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = Object.entries(request.headers).flatMap(([name, value]) =>
    ['host', 'connection', 'content-length', 'transfer-encoding'].includes(name) || value === undefined
      ? []
      : [[name, name === 'idempotency-key' ? keyAs(String(value)) : String(value)] as [string, string]],
  )
  const answer = await fetch(new URL(request.url ?? '/', target), {
    method: request.method,
    headers,
    ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
  })
  const kept = PASSED_BACK.flatMap((name) => {
    const value = answer.headers.get(name)
    return value === null ? [] : [[name, value]]
  })
  return { status: answer.status, body: await answer.text(), headers: Object.fromEntries(kept) }
}

function headersOf({ headers }: Answer): Record<string, string> {
  return { 'content-type': 'application/json', 'request-id': 'req_proxy', ...headers }
}

function textOf({ body }: Answer): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function headerOf(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}
