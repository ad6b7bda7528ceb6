import path from 'node:path'
import { waitUntilReady } from '../../scripts/health'
import { freePort } from '../../scripts/ports'
import { type Leashed, root } from '../../scripts/processes'
import { startServer } from './stack'
import { stack } from './stack-in-test'

export type LoggedServers = {
  urls: string[]
  leashes: Leashed[]
  /** Everything they have written so far, on stdout and stderr. */
  lines: string[]
  stop(): Promise<void>
}

/** Two servers whose every line is kept, who can be asked to fail, and to whom each client has an address of its own. */
export async function startLoggedServers(): Promise<LoggedServers> {
  const lines: string[] = []
  const settings = {
    ...stack().env,
    TRUSTED_PROXY_HOPS: '1',
    REDIS_TIMEOUT_MS: '3000',
    NODE_OPTIONS: `--import=${path.join(root, 'tests/support/failing-server.mjs')}`,
  }
  const ports = [await freePort(), await freePort()]
  const leashes = ports.map((port) => startServer(port, settings, (line) => lines.push(line)))
  const urls = ports.map((port) => `http://localhost:${port}`)
  await Promise.all(urls.map((url) => waitUntilReady(url, 60_000)))
  return {
    urls,
    leashes,
    lines,
    stop: async () => {
      await Promise.all(leashes.map((leash) => leash.stop()))
    },
  }
}

/** A request of somebody at this address. */
export function from(address: string): { 'x-forwarded-for': string } {
  return { 'x-forwarded-for': address }
}
