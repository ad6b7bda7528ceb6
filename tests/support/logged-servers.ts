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
  /** Resolves once all that they have said so far is among the lines. */
  allIsWritten(): Promise<void>
  stop(): Promise<void>
}

/** A line of ours that says how far we have read; it is not kept. */
const MARK = /https:\/\/mark-\d+\.example/

/** Two servers whose every line is kept, who can be asked to fail, and to whom each client has an address of its own. */
export async function startLoggedServers(): Promise<LoggedServers> {
  const lines: string[] = []
  const marks = new Map<string, () => void>()
  let places = 0
  const read = (line: string) => {
    const mark = MARK.exec(line)?.[0]
    if (mark) marks.get(mark)?.()
    else lines.push(line)
  }
  /** A server writes in order: once it has written one thing more, what came before is here. */
  const readTo = async (url: string, place: number) => {
    const mark = `https://mark-${place}.example`
    const seen = new Promise<void>((resolve) => marks.set(mark, resolve))
    const answer = await fetch(`${url}/api/csp-reports`, {
      method: 'POST',
      // A visitor of its own, whom no limit knows.
      headers: { 'content-type': 'application/csp-report', ...from(`2001:db8:${place.toString(16)}::1`) },
      body: JSON.stringify({ 'csp-report': { 'effective-directive': 'img-src', 'blocked-uri': mark } }),
    }).catch(() => null)
    // One that has ended has written all it will.
    if (answer) await seen
  }
  const settings = {
    ...stack().env,
    TRUSTED_PROXY_HOPS: '1',
    REDIS_TIMEOUT_MS: '3000',
    NODE_OPTIONS: `--import=${path.join(root, 'tests/support/failing-server.mjs')}`,
  }
  const ports = [await freePort(), await freePort()]
  const leashes = ports.map((port) => startServer(port, settings, read))
  const urls = ports.map((port) => `http://localhost:${port}`)
  await Promise.all(urls.map((url) => waitUntilReady(url, 60_000)))
  return {
    urls,
    leashes,
    lines,
    allIsWritten: async () => {
      await Promise.all(urls.map((url) => readTo(url, ++places)))
    },
    stop: async () => {
      await Promise.all(leashes.map((leash) => leash.stop()))
    },
  }
}

/** A request of somebody at this address. */
export function from(address: string): { 'x-forwarded-for': string } {
  return { 'x-forwarded-for': address }
}
