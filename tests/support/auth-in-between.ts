import { createServer } from 'node:http'
import { stack } from './stack-in-test'

export type AuthInBetween = {
  url: string
  /** How often somebody asked for a new token so far. */
  renewals(): number
  /** What to say to that: a status, or nothing at all. Everything else goes on to Auth. */
  answerRenewals(fault: 400 | 503 | 'hang'): void
  close(): Promise<void>
}

/** Supabase as a server sees it that stands behind this: the same, but for renewals, which are counted and go wrong. */
export async function startAuthInBetween(): Promise<AuthInBetween> {
  const { env } = stack()
  let renewals = 0
  let fault: 400 | 503 | 'hang' = 503

  const server = createServer(async (request, response) => {
    if (request.url?.includes('grant_type=refresh_token')) {
      renewals++
      if (fault === 'hang') return
      response.writeHead(fault, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ code: fault, error_code: 'refresh_token_not_found', msg: 'refused' }))
      return
    }
    const headers = new Headers()
    for (const name of ['apikey', 'authorization', 'content-type', 'accept']) {
      const value = request.headers[name]
      if (typeof value === 'string') headers.set(name, value)
    }
    const answer = await fetch(`${env.SUPABASE_URL}${request.url}`, { method: request.method, headers })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' })
    response.end(await answer.text())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('it listens on a port')

  return {
    url: `http://127.0.0.1:${address.port}`,
    renewals: () => renewals,
    answerRenewals: (next) => {
      fault = next
    },
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
