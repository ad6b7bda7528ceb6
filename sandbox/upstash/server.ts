import type { HttpBindings } from '@hono/node-server'
import { createFaults } from '../faults.ts'
import { type Listening, listen } from '../listen.ts'
import { hasSecret, isLocalHost } from '../local-only.ts'
import { openRedisStore, type RedisStore } from './store.ts'
import { RedisError, type RedisValue } from './values.ts'

export type UpstashConfig = { port: number; token: string; localSecret: string; redisUrl?: string }

type Reply = { result: RedisValue } | { error: string }

/** Upstash's Redis over HTTP: a command, a pipeline or a transaction as JSON arrays, a bearer token. */
export async function startUpstash(config: UpstashConfig): Promise<Listening> {
  const store = openRedisStore(config.redisUrl)
  const faults = createFaults({ secret: config.localSecret, modes: ['500', 'wrong'] })

  const answer = async (request: Request, bindings: HttpBindings): Promise<Response> => {
    if (!isLocalHost(request.headers.get('host')))
      return Response.json({ error: 'Not a local address' }, { status: 421 })
    const control = await faults.control(request)
    if (control) return control
    const fault = faults.play(bindings)
    if (fault) return fault
    if (faults.mode === '500') return Response.json({ error: 'ERR internal error' }, { status: 500 })
    if (faults.mode === 'wrong')
      return new Response('<html>Bad gateway</html>', { headers: { 'content-type': 'text/html' } })

    if (!hasSecret(request.headers.get('authorization'), config.token)) {
      return Response.json({ error: 'WRONGPASS invalid or missing auth token' }, { status: 401 })
    }
    return handle(request, store)
  }

  const listening = await listen(answer, config.port)
  return {
    port: listening.port,
    async close() {
      await listening.close()
      await store.close()
    },
  }
}

async function handle(request: Request, store: RedisStore): Promise<Response> {
  const path = new URL(request.url).pathname
  if (request.method !== 'POST')
    return Response.json({ error: 'ERR only POST is supported here' }, { status: 405 })
  const body: unknown = await request.json().catch(() => null)
  const encode = request.headers.get('upstash-encoding') === 'base64' ? toBase64 : (reply: Reply) => reply

  if (path === '/') {
    const command = parseCommand(body)
    if (!command) return Response.json({ error: 'ERR failed to parse command' }, { status: 400 })
    const reply = await attempt(store.run, command)
    return Response.json(encode(reply), { status: 'error' in reply ? 400 : 200 })
  }

  const commands = parseCommands(body)
  if (!commands) return Response.json({ error: 'ERR failed to parse pipeline request' }, { status: 400 })
  if (path === '/pipeline') {
    const replies: Reply[] = []
    for (const command of commands) replies.push(await attempt(store.run, command))
    return Response.json(replies.map(encode))
  }
  if (path === '/multi-exec') {
    const replies = await store.atomically(async (run) => {
      const results: Reply[] = []
      for (const command of commands) results.push(await attempt(run, command))
      return results
    })
    return Response.json(replies.map(encode))
  }
  return Response.json({ error: `ERR unknown path ${path}` }, { status: 404 })
}

async function attempt(run: (command: string[]) => Promise<RedisValue>, command: string[]): Promise<Reply> {
  try {
    return { result: await run(command) }
  } catch (error) {
    if (error instanceof RedisError) return { error: error.message }
    throw error
  }
}

function parseCommands(body: unknown): string[][] | null {
  if (!Array.isArray(body)) return null
  const commands = body.map(parseCommand)
  return commands.every((command) => command !== null) ? commands : null
}

/** Numbers and booleans may come unquoted; Redis knows texts only. */
function parseCommand(body: unknown): string[] | null {
  if (!Array.isArray(body) || body.length === 0) return null
  return body.map((part) => (typeof part === 'string' ? part : (JSON.stringify(part) ?? '')))
}

/** Every text but a plain OK, which the SDK leaves alone. */
function toBase64(reply: Reply): Reply {
  if ('error' in reply) return reply
  return { result: reply.result === 'OK' ? 'OK' : encodeValue(reply.result) }
}

function encodeValue(value: RedisValue): RedisValue {
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('base64')
  return Array.isArray(value) ? value.map(encodeValue) : value
}
