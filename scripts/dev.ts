// `npm run dev`: everything a payment needs on this computer. `npm run dev -- --reset` starts with fresh data.
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { portsFromEnvironment } from '../sandbox/ports.ts'
import { type Sandbox, startSandbox } from '../sandbox/start.ts'
import { printReady } from './dev-banner.ts'
import { waitUntilReady } from './health.ts'
import { requireFreePort } from './ports.ts'
import { type Leashed, onStopRequest, spawnLeashed, tool } from './processes.ts'
import { type Scheduler, startScheduler } from './scheduler.ts'
import { givenSettings, hasOwnProviders, portSetting, preflight, stateDir } from './settings.ts'

const SWEEP_EVERY_MS = 5_000
/** The first answer waits for the compiler; a cold, slow machine needs most of this. */
const READY_TIMEOUT_MS = 180_000
const STOP_TIMEOUT_MS = 8_000
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

const startedAt = Date.now()
const stopping = new AbortController()
let sandboxStart: Promise<Sandbox> | null = null
let next: Leashed | null = null
let scheduler: Scheduler | null = null

onStopRequest(() => {
  if (stopping.signal.aborted) return
  stopping.abort()
  say('Stopping')
  void stopEverything().then(() => process.exit(0))
})

try {
  await start()
} catch (error) {
  await giveUp(error instanceof Error ? error.message : String(error))
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
  await warm(address)
  if (stopping.signal.aborted) return

  scheduler = startScheduler({
    origin: address,
    secret: settings.CRON_SECRET,
    everyMs: SWEEP_EVERY_MS,
    report: say,
  })
  printReady({ seconds: secondsSinceStart(), address, sandbox })
  showNextLog = true
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

/** Its log is shown from the moment everything is ready; until then it would only hide what matters. */
let showNextLog = false

function startNext(port: number, settings: Record<string, string>): Leashed {
  const server = spawnLeashed({
    name: 'Next.js',
    command: [...tool('next'), 'dev', '--hostname', '127.0.0.1', '--port', String(port)],
    settings: { ...settings, NODE_ENV: 'development', ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) },
    onLine: (line) => {
      if (showNextLog && !isRoutine(line)) console.log(line)
    },
  })
  void server.exited.then(async (code) => {
    if (stopping.signal.aborted) return
    await giveUp(
      `Next.js ended by itself (exit code ${code}). Its last lines:\n\n${server.lastLines().join('\n')}`,
    )
  })
  return server
}

function isRoutine(line: string): boolean {
  return line.includes('/api/cron/sweep') || line.includes('/api/health')
}

async function warm(address: string): Promise<void> {
  for (const page of WARM_PATHS) {
    if (stopping.signal.aborted) return
    await fetch(new URL(page, address), { redirect: 'manual', signal: AbortSignal.timeout(60_000) })
      .then((response) => response.arrayBuffer())
      .catch(() => undefined)
  }
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
  console.log(`  ${String(secondsSinceStart()).padStart(3)} s  ${line}`)
}

function secondsSinceStart(): number {
  return Math.round((Date.now() - startedAt) / 1000)
}
