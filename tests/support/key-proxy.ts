import { createServer } from 'node:http'

export type KeyProxy = {
  url: string
  /** The keys it takes from now on. */
  accept(keys: readonly string[]): void
  /** How many requests came with each key; those that were refused under `refused`. */
  counts: Record<string, number>
  close(): Promise<void>
}

/** A provider that can take two keys at once, as the real ones do while one is rolled: passes requests on with `ownKey`. */
export async function startKeyProxy(target: string, ownKey: string): Promise<KeyProxy> {
  let accepted: readonly string[] = []
  const counts: Record<string, number> = { refused: 0 }
  const server = createServer(async (request, response) => {
    const key = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const name = accepted.includes(key) ? key : 'refused'
    counts[name] = (counts[name] ?? 0) + 1
    if (name === 'refused') return void response.writeHead(401).end('{"error":{"message":"no such key"}}')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const headers = new Headers({ authorization: `Bearer ${ownKey}` })
    for (const [header, value] of Object.entries(request.headers)) {
      const isOurs = ['authorization', 'host', 'connection', 'content-length', 'transfer-encoding'].includes(
        header,
      )
      if (!isOurs && value !== undefined) headers.set(header, String(value))
    }
    const answer = await fetch(new URL(request.url ?? '/', target), {
      method: request.method,
      headers,
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    })
    const body = Buffer.from(await answer.arrayBuffer())
    const type = answer.headers.get('content-type') ?? 'application/json'
    response.writeHead(answer.status, { 'content-type': type }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the proxy listens on a port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    accept: (keys) => {
      accepted = keys
    },
    counts,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
