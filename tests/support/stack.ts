import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { removeData } from '../../sandbox/postgres/data-folder.ts'
import { unprivilegedUser } from '../../sandbox/postgres/native-files.ts'
import { freePorts, startSandbox } from '../../sandbox/start.ts'
import { waitUntilReady } from '../../scripts/health.ts'
import { freePort } from '../../scripts/ports.ts'
import { type Leashed, spawnLeashed, tool } from '../../scripts/processes.ts'
import { ensureBuild } from '../../scripts/production-build.ts'
import { assertContractKept } from './contract-report'

/** What tests need to know of a running stack; plain data, so that it can be handed to other processes. */
export type StackFacts = {
  appOrigin: string
  /** Every server of the production build; the first is the one Stripe delivers to. */
  serverUrls: string[]
  env: Record<string, string>
  adminDatabaseUrl: string
  supabaseSecretKey: string
  supabaseSigningKey: Record<string, unknown>
  mailboxUrl: string
  localSecret: string
  /** What the servers have written so far, while the stack is up. */
  logFile: string
  demo: { customer: { email: string; password: string }; staff: { email: string; password: string } }
}

export type Stack = StackFacts & {
  /** Everything the servers have written so far. */
  logs(): string
  /** End one server and start it again on its port, with other settings if need be. */
  restartServer(index: number, settings?: Record<string, string>): Promise<void>
  stop(): Promise<void>
}

const READY_TIMEOUT_MS = 120_000
const FOLDER_PREFIX = 'paywright-stack-'

/** A machine that runs all of this at once is slow: an answer of Redis after 300 ms is late, not an outage. */
export const PATIENT = { REDIS_TIMEOUT_MS: '3000' }
/** Another shop of the same people, for whose pages the JSON addresses are there too. */
export const LISTED_ORIGIN = 'https://shop.example.test'

/**
 * The whole product, the way it would run: a sandbox in a temporary folder and production servers on free ports.
 * @param servers how many server processes share the one database
 * @param stripeContract hold everything the local Stripe says against the SDK's types. Long lists take it seconds each.
 */
export async function startStack({ servers = 2, stripeContract = true } = {}): Promise<Stack> {
  await ensureBuild()
  removeLeftovers()
  const stateDir = mkdtempSync(path.join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-`))
  const ports = await Promise.all(Array.from({ length: servers }, () => freePort()))
  const serverUrls = ports.map((port) => `http://localhost:${port}`)
  const [appOrigin = ''] = serverUrls
  const sandbox = await startSandbox({
    stateDir,
    ports: await freePorts(),
    appOrigin,
    tuning: { fsync: false, signInAttempts: 10_000, mailIntervalSeconds: 0, stripeContract },
  })
  const logFile = path.join(stateDir, 'servers.log')
  writeFileSync(logFile, '')
  const start = (port: number, settings: Record<string, string> = {}) =>
    startServer(port, { ...sandbox.env, ALLOWED_ORIGINS: LISTED_ORIGIN, ...settings }, (line) =>
      appendFileSync(logFile, `${line}\n`),
    )
  const running = ports.map((port) => start(port))
  const shutDown = async () => {
    await Promise.all(running.map((server) => server.stop()))
    await sandbox.stop()
  }
  let written = ''
  /** @throws Error when the local Stripe said something that the SDK's types do not allow: the tests stood on sand. */
  const stop = async () => {
    try {
      if (stripeContract) await assertContractKept(sandbox.env.STRIPE_API_BASE ?? '', sandbox.localSecret)
    } finally {
      await shutDown()
      written = readFileSync(logFile, 'utf8')
      removeState(stateDir)
    }
  }
  try {
    await Promise.all(serverUrls.map((url) => waitUntilReady(url, READY_TIMEOUT_MS)))
  } catch (error) {
    await shutDown()
    removeState(stateDir)
    throw error
  }
  return {
    appOrigin,
    serverUrls,
    env: sandbox.env,
    adminDatabaseUrl: sandbox.adminDatabaseUrl,
    supabaseSecretKey: sandbox.supabaseSecretKey,
    supabaseSigningKey: sandbox.supabaseSigningKey,
    mailboxUrl: sandbox.mailboxUrl,
    localSecret: sandbox.localSecret,
    logFile,
    demo: sandbox.demo,
    logs: () => written || readFileSync(logFile, 'utf8'),
    restartServer: async (index, settings) => {
      const port = ports[index]
      const url = serverUrls[index]
      if (port === undefined || url === undefined) throw new Error(`There is no server ${index}`)
      await running[index]?.stop()
      running[index] = start(port, settings)
      await waitUntilReady(url, READY_TIMEOUT_MS)
    },
    stop,
  }
}

/** One more server process of the same build, patient unless its settings say otherwise. */
export function startServer(
  port: number,
  settings: Record<string, string>,
  onLine: (line: string) => void = () => {},
): Leashed {
  return spawnLeashed({
    name: `server on ${port}`,
    command: [...tool('next'), 'start', '--hostname', '127.0.0.1', '--port', String(port)],
    settings: { ...PATIENT, ...settings, NODE_ENV: 'production' },
    onLine,
  })
}

/** A run that was killed could not tidy up: the folder's name says whose it was. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`).exec(name)?.[1]
    if (owner === undefined || isAlive(Number(owner))) continue
    removeState(path.join(tmpdir(), name))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function removeState(stateDir: string): void {
  if (!existsSync(stateDir)) return
  // Started by root, the database keeps its files where its own user can reach them.
  removeData(stateDir, unprivilegedUser())
  rmSync(stateDir, { recursive: true, force: true })
}
