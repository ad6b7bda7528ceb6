import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import postgres from 'postgres'
import { type Child, startChild } from './child.ts'
import { createDemoPeople, type DemoPeople } from './demo-people.ts'
import { assertPortsFree, PARTS, type SandboxPart, type SandboxPorts } from './ports.ts'
import { setPassword } from './postgres/bootstrap.ts'
import { removeData } from './postgres/data-folder.ts'
import { migrate, seed } from './postgres/migrate.ts'
import { unprivilegedUser } from './postgres/native-files.ts'
import { stopOrphan } from './postgres/server.ts'
import { loadSecrets, writePrivate } from './secrets.ts'
import {
  appSettings,
  databaseUrl,
  partSettings,
  type SandboxSettings,
  type SandboxTuning,
} from './settings.ts'
import { lockState, type StateLock } from './state-lock.ts'

export { freePorts, PortTakenError, type SandboxPart, type SandboxPorts } from './ports.ts'
export { SandboxRunningError } from './state-lock.ts'

export type SandboxOptions = {
  /** Everything that survives a restart. Tests use a temporary folder. */
  stateDir: string
  ports: SandboxPorts
  appOrigin: string
  /** Where Stripe delivers events. Default: `<appOrigin>/api/payments/webhook`. */
  webhookUrl?: string
  /** Forget everything first. */
  reset?: boolean
  /** These parts and what they need, instead of all. */
  only?: SandboxPart[]
  onProgress?: (line: string) => void
  /** A part ended by itself, later on. Without this the process is ended by an exception. */
  onExit?: (part: SandboxPart, exitCode: number | null) => void
  tuning?: SandboxTuning
}

export type Sandbox = {
  /** Every setting the app reads. */
  env: Record<string, string>
  /** The parts that run. */
  parts: readonly SandboxPart[]
  ports: SandboxPorts
  /** Role `postgres`, as on hosted. For migrations and tests, never for the app. */
  adminDatabaseUrl: string
  /** For the admin addresses of Auth. For tests and operators, never for the app. */
  supabaseSecretKey: string
  /** Private JSON Web Key of Auth: tests sign tokens of any age and content with it. */
  supabaseSigningKey: Record<string, unknown>
  mailboxUrl: string
  /** Bearer token of the `/_local/…` addresses, where tests switch faults on. */
  localSecret: string
  demo: DemoPeople
  stop(): Promise<void>
}

const ROOT = resolve(import.meta.dirname, '..')

/** Start the three providers and the mailbox, each in its own process, and bring the database up to date. */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const stateDir = resolve(options.stateDir)
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const lock = await lockState(stateDir)
  const running: Child[] = []
  const progress = options.onProgress ?? (() => {})
  try {
    await stopOrphan(stateDir)
    if (options.reset) forget(stateDir)
    if (process.getuid?.() !== 0) chmodSync(stateDir, 0o700)
    const parts = withNeeds(options.only ?? PARTS)
    await assertPortsFree(options.ports, parts)
    const settings: SandboxSettings = {
      stateDir,
      ports: options.ports,
      appOrigin: options.appOrigin,
      webhookUrl: options.webhookUrl ?? `${options.appOrigin}/api/payments/webhook`,
      secrets: loadSecrets(stateDir),
      tuning: options.tuning ?? {},
    }
    await startParts({ parts, settings, lock, running, progress })

    const sandbox = handle(settings, parts, async () => {
      watching.stopped = true
      await stopAll(running)
      lock.release()
    })
    const watching = watch(running, options.onExit)
    writePrivate(join(stateDir, 'env'), dotenv(sandbox.env))
    return sandbox
  } catch (error) {
    await stopAll(running)
    lock.release()
    throw error
  }
}

type Starting = {
  parts: readonly SandboxPart[]
  settings: SandboxSettings
  lock: StateLock
  running: Child[]
  progress: (line: string) => void
}

async function startParts(starting: Starting): Promise<void> {
  const { parts, settings, progress } = starting
  const has = (part: SandboxPart) => parts.includes(part)
  const startPart = async (part: SandboxPart) => {
    if (!has(part)) return
    const child = await startChild({
      part,
      settings: partSettings(part, settings),
      stateDir: settings.stateDir,
      onSpawn: (pid) => starting.lock.addChild(pid),
    })
    starting.running.push(child)
  }

  progress(`Starting ${parts.join(', ')}`)
  const database = startPart('postgres').then(async () => {
    if (!has('postgres')) return
    await bringUpToDate(settings, progress)
    // After the migrations, so that the first request sees every table.
    await startPart('supabase')
  })
  const started = await Promise.allSettled([
    database,
    ...(['stripe', 'upstash', 'mailbox'] as const).map(startPart),
  ])
  const failed = started.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason

  if (has('supabase')) {
    const { people, ...addresses } = demoOptions(settings)
    await createDemoPeople({ people, ...addresses })
  }
  progress('The sandbox is ready')
}

async function bringUpToDate(settings: SandboxSettings, progress: (line: string) => void): Promise<void> {
  const adminDatabaseUrl = adminUrl(settings)
  const applied = await migrate({ databaseUrl: adminDatabaseUrl, folder: join(ROOT, 'supabase/migrations') })
  if (applied.length > 0) progress(`Applied ${applied.length} migration${applied.length === 1 ? '' : 's'}`)
  await seed({ databaseUrl: adminDatabaseUrl, file: join(ROOT, 'supabase/seed.sql') })

  const sql = postgres(adminDatabaseUrl, { max: 1, onnotice: () => {} })
  try {
    // Made by a migration; its password is the install's, as it is set by hand on hosted.
    const [role] = await sql`select from pg_catalog.pg_roles where rolname = 'payments_service'`
    if (role) await setPassword(sql, 'payments_service', settings.secrets.databaseServicePassword)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** Providers first, the database last: it is the one the others talk to. */
async function stopAll(running: Child[]): Promise<void> {
  await Promise.all(running.filter(({ part }) => part !== 'postgres').map((child) => child.stop()))
  await Promise.all(running.filter(({ part }) => part === 'postgres').map((child) => child.stop()))
}

function watch(running: Child[], onExit: SandboxOptions['onExit']): { stopped: boolean } {
  const watching = { stopped: false }
  const tell =
    onExit ??
    ((part: SandboxPart, code: number | null) => {
      throw new Error(
        `The ${part} part of the sandbox ended by itself (exit code ${code}). Its log says why.`,
      )
    })
  for (const { part, exited } of running) {
    // Outside of the promise, so that the exception ends the process and is not merely a rejection somewhere.
    void exited.then((code) => setImmediate(() => watching.stopped || tell(part, code)))
  }
  return watching
}

function handle(
  settings: SandboxSettings,
  parts: readonly SandboxPart[],
  stop: () => Promise<void>,
): Sandbox {
  let stopped: Promise<void> | null = null
  return {
    env: appSettings(settings),
    parts,
    ports: settings.ports,
    adminDatabaseUrl: adminUrl(settings),
    supabaseSecretKey: settings.secrets.supabaseSecretKey,
    supabaseSigningKey: settings.secrets.supabaseSigningKey,
    mailboxUrl: `http://127.0.0.1:${settings.ports.mailbox}`,
    localSecret: settings.secrets.localSecret,
    demo: demoOptions(settings).people,
    stop() {
      stopped ??= stop()
      return stopped
    },
  }
}

function demoOptions(settings: SandboxSettings) {
  const { ports, secrets } = settings
  return {
    people: {
      customer: { email: 'ada@example.com', password: secrets.demoCustomerPassword },
      staff: { email: 'grace@example.com', password: secrets.demoStaffPassword },
    },
    supabaseUrl: `http://127.0.0.1:${ports.supabase}`,
    publishableKey: secrets.supabasePublishableKey,
    mailboxUrl: `http://127.0.0.1:${ports.mailbox}`,
    adminDatabaseUrl: adminUrl(settings),
  }
}

const adminUrl = ({ secrets, ports }: SandboxSettings) =>
  databaseUrl('postgres', secrets.databasePostgresPassword, ports.postgres)

/** Supabase is nothing without its database and without somewhere to send mail. */
function withNeeds(parts: readonly SandboxPart[]): SandboxPart[] {
  const needed = parts.includes('supabase') ? [...parts, 'postgres' as const, 'mailbox' as const] : parts
  return PARTS.filter((part) => needed.includes(part))
}

/** Everything but the lock we hold. */
function forget(stateDir: string): void {
  removeData(stateDir, unprivilegedUser())
  for (const name of readdirSync(stateDir)) {
    if (name !== 'lock') rmSync(join(stateDir, name), { recursive: true, force: true })
  }
}

function dotenv(settings: Record<string, string>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  return ['# Written by the sandbox at every start. Do not edit.', ...lines, ''].join('\n')
}
