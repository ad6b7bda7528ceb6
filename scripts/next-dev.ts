import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { type Leashed, root, spawnLeashed, tool } from './processes.ts'

/** Asked once so that the first click does not wait for the compiler. What they answer does not matter. */
const WARM_PATHS = [
  '/',
  '/sign-in',
  '/sign-up',
  '/orders/00000000-0000-4000-8000-000000000000',
  '/checkout/00000000-0000-4000-8000-000000000000',
  '/payments',
  '/api/payments/create-payment-intent',
  '/api/payments/webhook',
]

export type NextDev = Pick<Leashed, 'exited' | 'lastLines' | 'stop'> & {
  /** Compiles the pages of a first payment, one after the other. */
  warm(address: string, stopped: AbortSignal): Promise<void>
  /** From now on the log goes to the terminal; until then it would only hide what matters. */
  showLog(): void
}

export function startNextDev(port: number, settings: Record<string, string>): NextDev {
  let isShown = false
  const server = spawnLeashed({
    name: 'Next.js',
    command: [...tool('next'), 'dev', '--hostname', '127.0.0.1', '--port', String(port)],
    settings: { ...settings, NODE_ENV: 'development', ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
    onLine: (line) => {
      if (isShown && !isRoutine(line)) console.log(line)
    },
  })
  return {
    exited: server.exited,
    lastLines: server.lastLines,
    warm,
    showLog: () => {
      isShown = true
    },
    stop: async () => {
      const before = new Set(eventFiles())
      await server.stop()
      await eventsHandled(before)
    },
  }
}

function isRoutine(line: string): boolean {
  return line.includes('/api/cron/sweep') || line.includes('/api/health')
}

async function warm(address: string, stopped: AbortSignal): Promise<void> {
  for (const page of WARM_PATHS) {
    if (stopped.aborted) return
    await fetch(new URL(page, address), { redirect: 'manual', signal: AbortSignal.timeout(60_000) })
      .then((response) => response.arrayBuffer())
      .catch(() => undefined)
  }
}

/**
 * When `next dev` ends it starts a process that works through a file of usage events, even where telemetry is off and
 * nothing is sent. It takes half a second and removes the file; until then something we started would still run.
 */
async function eventsHandled(before: ReadonlySet<string>): Promise<void> {
  const deadline = Date.now() + 2_000
  while (Date.now() < deadline && eventFiles().some((name) => !before.has(name))) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function eventFiles(): string[] {
  const folder = path.join(root, '.next', 'dev', 'cache')
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('_events_')) : []
}
