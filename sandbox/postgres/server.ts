import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import postgres from 'postgres'
import { commandOf, isAlive, waitForExit } from '../process-identity.ts'
import { dataFolder, prepareData, SUPERUSER } from './data-folder.ts'
import { findNativePostgres, type NativePostgres, unprivilegedUser } from './native-files.ts'

export type PostgresConfig = {
  port: number
  stateDir: string
  installId: string
  password: string
  /** Off makes tests faster; a crash of the machine (not of a process) may then lose commits. */
  fsync: boolean
  log(line: string): void
}

export type RunningPostgres = {
  pid: number
  /** Settles when the server is gone, whatever the reason. */
  exited: Promise<void>
  close(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 10_000

/** Start PostgreSQL on 127.0.0.1 and wait until it answers a query. */
export async function startPostgres(config: PostgresConfig): Promise<RunningPostgres> {
  const native = findNativePostgres()
  const data = prepareData({
    native,
    stateDir: config.stateDir,
    installId: config.installId,
    password: config.password,
  })
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const server = launch(native, data, config)
    if (await answers(server, config, deadline)) return control(server)
    // After a kill -9 the old server's helpers need a moment to notice and let go of the shared memory.
    if (!server.retryable() || Date.now() > deadline) {
      throw new Error(`PostgreSQL did not start: ${server.lastLine()}`)
    }
    await pause(250)
  }
}

type Launched = { process: ChildProcess; exited: Promise<void>; lastLine(): string; retryable(): boolean }

function launch(native: NativePostgres, data: string, config: PostgresConfig): Launched {
  const process_ = spawn(native.postgres, ['-D', data, '-p', String(config.port), ...settings(config)], {
    cwd: data,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, TZ: 'UTC', NODE_ENV: 'production' },
    detached: true,
    ...native.runAs,
  })
  const lines: string[] = []
  createInterface(process_.stderr).on('line', (line) => {
    config.log(line)
    lines.push(line)
    if (lines.length > 20) lines.shift()
  })
  const exited = new Promise<void>((resolve) => {
    process_.once('exit', () => resolve())
    process_.once('error', (error) => {
      lines.push(error.message)
      resolve()
    })
  })
  return {
    process: process_,
    exited,
    lastLine: () =>
      lines.findLast((line) => /FATAL|PANIC|ERROR/.test(line)) ?? lines.at(-1) ?? 'no reason given',
    retryable: () => lines.some((line) => /shared memory block|is another postmaster/.test(line)),
  }
}

function settings(config: PostgresConfig): string[] {
  const values: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    // A socket file would need a folder nobody else can write to; TCP with a password does.
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: '200',
    shared_buffers: '64MB',
    max_wal_size: '256MB',
    fsync: config.fsync ? 'on' : 'off',
    // Without it a kill of the server would lose commits, which only a crash of the machine may.
    synchronous_commit: 'on',
    full_page_writes: config.fsync ? 'on' : 'off',
    // Containers give /dev/shm little room, and small queries gain nothing from either.
    max_parallel_workers_per_gather: '0',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%u ',
    // Statements and details carry values; the log must not.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function answers(server: Launched, config: PostgresConfig, deadline: number): Promise<boolean> {
  let gone = false
  void server.exited.then(() => {
    gone = true
  })
  while (!gone && Date.now() < deadline) {
    const sql = postgres({
      host: '127.0.0.1',
      port: config.port,
      user: SUPERUSER,
      password: config.password,
      database: 'postgres',
      max: 1,
      connect_timeout: 5,
    })
    try {
      await sql`select 1`
      return !gone
    } catch (error) {
      // A wrong password is not going to become right by waiting.
      if ((error as { code?: string }).code === '28P01') {
        server.process.kill('SIGINT')
        throw new Error('PostgreSQL refuses the password kept in secrets.json. Start with --reset.')
      }
      await Promise.race([pause(30), server.exited])
    } finally {
      await sql.end({ timeout: 1 })
    }
  }
  server.process.kill('SIGQUIT')
  await server.exited
  return false
}

function control(server: Launched): RunningPostgres {
  return {
    pid: server.process.pid ?? 0,
    exited: server.exited,
    async close() {
      // SIGINT is Postgres' fast shutdown: ends sessions, writes a checkpoint. SIGQUIT only when that hangs.
      server.process.kill('SIGINT')
      const timer = setTimeout(() => server.process.kill('SIGQUIT'), STOP_TIMEOUT_MS)
      await server.exited
      clearTimeout(timer)
    },
  }
}

/**
 * After a kill -9 of its starter a server may go on running on our data, and keep the port. It is ours only if
 * its command line names this very directory; any other process with that id just got a number that became free.
 */
export async function stopOrphan(stateDir: string): Promise<void> {
  const data = dataFolder(stateDir, unprivilegedUser())
  const pidFile = join(data, 'postmaster.pid')
  const pid = readPid(pidFile)
  if (pid === null) return
  const isOurs = () => isAlive(pid) && commandOf(pid).includes(`-D ${data} `)
  if (!isOurs()) return rmSync(pidFile, { force: true })

  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      // Gone in the meantime.
    }
    if (await waitForExit(() => !isOurs(), STOP_TIMEOUT_MS)) return
  }
}

function readPid(pidFile: string): number | null {
  try {
    const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
