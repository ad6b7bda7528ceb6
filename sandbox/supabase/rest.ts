import { restError } from './answers.ts'
import type { Engine } from './engine.ts'
import { BadTokenError, type Tokens } from './tokens.ts'

/** `/rest/v1/…`: a bearer token must be good here, or the request ends; the engine would go on as anon. */
export function createRest({ engine, tokens }: { engine: Engine; tokens: Tokens }) {
  return async (request: Request, clientAddress: string): Promise<Response> => {
    const headers = new Headers(request.headers)
    const bearer = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (bearer && !bearer.startsWith('sb_')) {
      try {
        headers.set('authorization', `Bearer ${await tokens.forEngine(await tokens.verify(bearer))}`)
      } catch (error) {
        if (!(error instanceof BadTokenError)) throw error
        return restError(401, error.reason === 'claims' ? 'PGRST303' : 'PGRST301', error.message)
      }
    }
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD'
    const body = hasBody ? await request.arrayBuffer() : undefined
    return engine.fetch(new Request(request.url, { method: request.method, headers, body }), clientAddress)
  }
}
