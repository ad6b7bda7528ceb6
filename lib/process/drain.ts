import 'server-only'
import type { Server } from 'node:http'
import { Server as TcpServer } from 'node:net'
import { log } from '../log'
import { processWide } from '../process-wide'
import { traffic } from './requests'

/** Platforms kill ten seconds after they have asked. */
const DRAIN_MS = 8_500
const CLOSE_MS = 1_000
const ACCEPT_MS = 1_000
/** How long a connection without a request may send one more: it may be on its way already. */
const IDLE_GRACE_MS = 500

type Close = () => Promise<void>

const closers = processWide('closers', () => new Set<Close>())
const ending = processWide('ending', () => new AbortController())

/** Called once the last request is answered. */
export function beforeExit(close: Close): void {
  closers.add(close)
}

/** Aborted when the process has been asked to end: a long job stops at its next step, and goes on at the next call. */
export function endSignal(): AbortSignal {
  return ending.signal
}

/**
 * Asked to end, refuse new connections, answer what has come in, close the database, and end. This takes the place of
 * Next's own answer, which closes connections that are idle for a moment together with the request that is on its way on
 * them, has no time limit, and ends with 143.
 */
export function drainOnRequest(): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.removeAllListeners(signal)
    process.on(signal, async () => {
      if (!ending.signal.aborted) process.exit((await drain(signal)) ? 0 : 1)
    })
  }
}

/** @returns whether every request was answered in time */
export async function drain(reason: string): Promise<boolean> {
  const startedAt = Date.now()
  ending.abort()
  log.info('draining', { signal: reason, inFlight: traffic.answering.size })
  const { server } = traffic
  if (server) {
    await acceptWaiting(server)
    traffic.isEnding = true
    // The listener alone: closing the HTTP server would cut connections that are idle right now.
    TcpServer.prototype.close.call(server)
    for (const response of traffic.answering) {
      if (!response.headersSent) response.shouldKeepAlive = false
    }
    await pause(IDLE_GRACE_MS)
    while (traffic.answering.size > 0 && Date.now() - startedAt < DRAIN_MS) {
      await pause(20)
    }
  }
  const cut = traffic.answering.size
  await Promise.race([Promise.allSettled([...closers].map((close) => close())), pause(CLOSE_MS)])
  log.info('drained', { waitedMs: Date.now() - startedAt, inFlight: cut })
  return cut === 0
}

/**
 * Connections the system has made and we have not accepted are reset when the listener closes. The event loop accepts one a
 * turn as long as there are any, so turns without one say that none is left.
 */
async function acceptWaiting(server: Server): Promise<void> {
  let accepted = 0
  const count = () => accepted++
  server.on('connection', count)
  const giveUpAt = Date.now() + ACCEPT_MS
  for (let before = -1; before !== accepted && Date.now() < giveUpAt; ) {
    before = accepted
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
  }
  server.off('connection', count)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
