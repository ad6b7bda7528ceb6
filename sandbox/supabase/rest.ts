import { restError } from './answers.ts'
import type { Engine } from './engine.ts'
import { encodeJsonTexts } from './json-arguments.ts'
import { BadTokenError, type Tokens } from './tokens.ts'

/** `/rest/v1/…`: a bearer token must be good here, or the request ends; the engine would go on as anon. */
export function createRest({ engine, tokens }: { engine: Engine; tokens: Tokens }) {
  return async (request: Request, clientAddress: string): Promise<Response> => {
    const headers = new Headers(request.headers)
    headers.delete('content-length')
    const bearer = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '')?.[1]
    if (bearer && !bearer.startsWith('sb_')) {
      try {
        headers.set('authorization', `Bearer ${await tokens.forEngine(await tokens.verify(bearer))}`)
      } catch (error) {
        if (!(error instanceof BadTokenError)) throw error
        return restError(401, error.reason === 'claims' ? 'PGRST303' : 'PGRST301', error.message)
      }
    }
    const body = await bodyFor(request, engine)
    return engine.fetch(new Request(request.url, { method: request.method, headers, body }), clientAddress)
  }
}

async function bodyFor(request: Request, engine: Engine): Promise<string | ArrayBuffer | undefined> {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined
  const calledFunction = /^\/rest\/v1\/rpc\/([^/]+)$/.exec(new URL(request.url).pathname)?.[1]
  const isJson = request.headers.get('content-type')?.startsWith('application/json') ?? false
  if (!calledFunction || !isJson) return request.arrayBuffer()

  const names = await engine.jsonArguments.of(decodeURIComponent(calledFunction))
  const text = await request.text()
  if (names.size === 0) return text
  try {
    return JSON.stringify(encodeJsonTexts(JSON.parse(text), names))
  } catch {
    // No JSON: the engine has the right words for that.
    return text
  }
}
