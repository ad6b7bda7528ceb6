// A PostgreSQL that can check functions: the local one does not bring plpgsql_check, Debian's does where it is installed
// (postgresql-15-plpgsql-check or a later one). It holds the migrations and nothing else, for as long as it is asked.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { bootstrap } from '../../sandbox/postgres/bootstrap.ts'
import { SUPERUSER } from '../../sandbox/postgres/data-folder.ts'
import { migrate } from '../../sandbox/postgres/migrate.ts'
import { unprivilegedUser } from '../../sandbox/postgres/native-files.ts'
import { freePort } from '../ports.ts'
import { root } from '../processes.ts'

const DEBIAN = '/usr/lib/postgresql'
const START_TIMEOUT_MS = 30_000

/** The newest PostgreSQL of this machine that has plpgsql_check, or null. */
function installed(): string | null {
  if (!existsSync(DEBIAN)) return null
  const folders = readdirSync(DEBIAN).map((version) => path.join(DEBIAN, version))
  const able = folders.filter((folder) => existsSync(path.join(folder, 'lib', 'plpgsql_check.so')))
  return able.toSorted().at(-1) ?? null
}

/** Runs `ask` with the address of such a database, or answers null when there is none to be had. */
export async function withCheckingPostgres<Result>(
  ask: (databaseUrl: string) => Promise<Result>,
): Promise<Result | null> {
  const folder = installed()
  if (folder === null) return null
  const user = unprivilegedUser()
  const data = mkdtempSync(path.join(tmpdir(), 'paywright-checking-'))
  if (user) chownSync(data, user.uid, user.gid)
  const port = await freePort()
  let server: ChildProcess | undefined
  try {
    const initdb = path.join(folder, 'bin', 'initdb')
    const how = [
      '--pgdata',
      data,
      '--username',
      SUPERUSER,
      '--auth',
      'trust',
      '--no-sync',
      '--encoding',
      'UTF8',
    ]
    execFileSync(initdb, how, { cwd: data, stdio: 'ignore', ...user })
    const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'fsync=off'].flatMap(
      (setting) => ['-c', setting],
    )
    const program = path.join(folder, 'bin', 'postgres')
    server = spawn(program, ['-D', data, '-p', String(port), ...settings], {
      cwd: data,
      stdio: 'ignore',
      ...user,
    })
    await untilBootstrapped(port)
    const address = (role: string) => `postgres://${role}:unused@127.0.0.1:${port}/postgres`
    await migrate({ databaseUrl: address('postgres'), folder: path.join(root, 'supabase', 'migrations') })
    await addChecker(address(SUPERUSER))
    return await ask(address(SUPERUSER))
  } finally {
    await stop(server)
    rmSync(data, { recursive: true, force: true })
  }
}

/** Only a superuser may, and the linter signs in as somebody less. */
async function addChecker(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} })
  try {
    await sql`create extension plpgsql_check`
  } finally {
    await sql.end({ timeout: 5 })
  }
}

async function untilBootstrapped(port: number): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    try {
      return await bootstrap({
        port,
        superuserPassword: 'unused',
        postgresPassword: 'unused',
        defaultPrivileges: 'grant-all',
      })
    } catch (error) {
      const code = (error as { code?: string }).code
      // Not listening yet, or still starting up.
      if (Date.now() > deadline || !['ECONNREFUSED', '57P03'].includes(code ?? '')) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

async function stop(server: ChildProcess | undefined): Promise<void> {
  if (server?.exitCode !== null) return
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGINT')
  await ended
}
