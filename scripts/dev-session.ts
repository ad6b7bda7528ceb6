// The work of `npm run dev`; see dev.ts.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { portsFromEnvironment } from '../sandbox/ports.ts'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'
import { printReady } from './dev-banner.ts'
import { waitUntilReady } from './health.ts'
import { type NextDev, startNextDev } from './next-dev.ts'
import { requireFreePort } from './ports.ts'
import { type Scheduler, startScheduler } from './scheduler.ts'
import { givenSettings, hasOwnProviders, portSetting, preflight, stateDir } from './settings.ts'

/** The first answer waits for the compiler; a cold, slow machine needs most of this. */
const READY_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 8_000
const startedAt = Date.now()
const stopping = new AbortController()
let sandboxStart: Promise<Sandbox> | null = null
let next: NextDev | null = null
let scheduler: Scheduler | null = null

/** Starts everything and says so; any failure, now or later, ends the process with 1. */
export async function startSession(): Promise<void> {
  try {
    await start()
  } catch (error) {
    await giveUp(error instanceof Error ? error.message : String(error))
  }
}

export async function stopSession(): Promise<void> {
  if (stopping.signal.aborted) return
  stopping.abort()
  await stopEverything()
}

async function start(): Promise<void> {
  const given = givenSettings()
  const port = portSetting(given, 'PORT', 3000)
  const ownProviders = hasOwnProviders(given)
  const appOrigin = given.APP_ORIGIN ?? `http://localhost:${port}`
  await requireFreePort(port, 'PORT')

  console.log('\nStarting Paywright')
  const sandbox = ownProviders ? null : await startProviders(given, appOrigin)
  const defaults = { APP_ORIGIN: appOrigin, CRON_SECRET: randomBytes(24).toString('base64url') }
  const settings = { ...defaults, ...sandbox?.env, ...given, PORT: String(port) }
  await preflight({ ...settings, NODE_ENV: 'development' })
  if (stopping.signal.aborted) return

  say('Starting Next.js')
  const address = `http://localhost:${port}`
  next = startNext(port, settings)
  await waitUntilReady(address, READY_TIMEOUT_MS, stopping.signal)
  say('Compiling the pages')
  await next.warm(address, stopping.signal)
  if (stopping.signal.aborted) return

  scheduler = startScheduler({
    origin: address,
    secret: settings.CRON_SECRET,
    report: say,
  })
  printReady({ seconds: secondsSinceStart(), address, sandbox })
  // A line about the last page compiled may still be on its way.
  setTimeout(next.showLog, 500)
}

async function startProviders(given: Record<string, string>, appOrigin: string): Promise<Sandbox> {
  sandboxStart = startSandbox({
    stateDir,
    ports: portsFromEnvironment(given),
    appOrigin,
    reset: process.argv.includes('--reset'),
    onProgress: say,
    onExit: (part, code) => {
      void giveUp(
        `The ${part} part of the sandbox ended by itself (exit code ${code}). Its last lines:\n\n${lastLogLines(part)}`,
      )
    },
  })
  return await sandboxStart
}

function lastLogLines(part: string): string {
  const log = path.join(stateDir, 'logs', `${part}.log`)
  return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n') : '(no log)'
}

function startNext(port: number, settings: Record<string, string>): NextDev {
  const server = startNextDev(port, settings)
  void server.exited.then((code) =>
    giveUp(
      `Next.js ended by itself (exit code ${code}). Its last lines:\n\n${server.lastLines().join('\n')}`,
    ),
  )
  return server
}

async function giveUp(message: string): Promise<void> {
  if (stopping.signal.aborted) return
  stopping.abort()
  console.error(`\n${message}\n`)
  await stopEverything()
  process.exit(1)
}

async function stopEverything(): Promise<void> {
  scheduler?.stop()
  const stopped = Promise.allSettled([next?.stop(), sandboxStart?.then((sandbox) => sandbox.stop())])
  // What is not done by then ends by itself: every child watches for the end of this process.
  await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT_MS))])
}

function say(line: string): void {
  if (stopping.signal.aborted) return
  console.log(`  ${String(secondsSinceStart()).padStart(3)} s  ${line}`)
}

function secondsSinceStart(): number {
  return Math.round((Date.now() - startedAt) / 1000)
}
