import { createServer } from 'node:http'
import { stack } from './stack-in-test'

/** How Redis can be away: nobody listens, nobody answers, an error, a page of some proxy, a reply that says nothing, a count of nothing. */
export const OUTAGES = ['refused', 'hanging', '500', 'html', 'nothing', 'zero'] as const
export type RedisFault = 'none' | (typeof OUTAGES)[number]

export type RedisFront = {
  url: string
  setFault(fault: RedisFault): void
  /** Requests that came so far. */
  asked(): number
  close(): Promise<void>
}

/** Stands before the stack's Redis and can misbehave in every way we know of. */
export async function startRedisFront(): Promise<RedisFront> {
  let fault: RedisFault = 'none'
  let asked = 0
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', async () => {
      asked++
      if (fault === 'refused') return void request.socket.resetAndDestroy()
      if (fault === 'hanging') return
      if (fault === '500') return void response.writeHead(500).end('{"error":"ERR internal error"}')
      if (fault === 'html') return void response.end('<html>Bad gateway</html>')
      if (fault !== 'none') {
        const reply = { result: fault === 'zero' ? [0, 60] : null }
        return void response.end(JSON.stringify(request.url === '/pipeline' ? [reply, reply, reply] : reply))
      }
      const answer = await fetch(`${stack().env.UPSTASH_REDIS_REST_URL}${request.url}`, {
        method: 'POST',
        headers: Object.fromEntries(
          ['authorization', 'content-type', 'upstash-encoding'].flatMap((name) => {
            const value = request.headers[name]
            return typeof value === 'string' ? [[name, value]] : []
          }),
        ),
        body: Buffer.concat(chunks),
      })
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the front listens on a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    setFault: (next) => {
      fault = next
      server.closeAllConnections()
    },
    asked: () => asked,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
