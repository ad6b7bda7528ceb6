import type { HttpBindings } from '@hono/node-server'
import { hasSecret } from './local-only.ts'

/**
 * Ways a provider can be away, switched on by tests through `POST /_local/fault {"mode": …}` with the local
 * secret as a bearer token.
 */
export type FaultMode = string

export type Faults = {
  readonly mode: FaultMode
  /** Answers `/_local/fault`; null for every other address. */
  control(request: Request): Promise<Response | null>
  /** Plays the faults every part knows: `reset` cuts the connection, `hang` never answers. Null for others. */
  play(bindings: HttpBindings): Promise<Response> | null
}

export function createFaults(options: { secret: string; modes: readonly FaultMode[] }): Faults {
  const modes = ['none', 'reset', 'hang', ...options.modes]
  let mode: FaultMode = 'none'

  return {
    get mode() {
      return mode
    },
    async control(request) {
      if (new URL(request.url).pathname !== '/_local/fault') return null
      if (!hasSecret(request.headers.get('authorization'), options.secret)) {
        return Response.json({ error: 'unauthorized' }, { status: 401 })
      }
      if (request.method !== 'POST') return Response.json({ mode, modes })
      const wanted = ((await request.json().catch(() => null)) as { mode?: unknown } | null)?.mode
      if (typeof wanted !== 'string' || !modes.includes(wanted)) {
        return Response.json({ error: `mode must be one of ${modes.join(', ')}` }, { status: 400 })
      }
      mode = wanted
      return Response.json({ mode, modes })
    },
    play(bindings) {
      if (mode === 'hang') return new Promise<Response>(() => {})
      if (mode !== 'reset') return null
      bindings.incoming.socket.destroy()
      return new Promise<Response>(() => {})
    },
  }
}
