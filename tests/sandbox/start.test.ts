import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { unprivilegedUser } from '../../sandbox/postgres/native-files.ts'
import { isAlive, waitForExit } from '../../sandbox/process-identity.ts'
import { freePorts, PortTakenError, SandboxRunningError, startSandbox } from '../../sandbox/start.ts'
import { childrenOf, killHard, startElsewhere, stopElsewhere } from './support/starter-process.ts'
import { client, setting, startTestSandbox, temporaryFolder } from './support/test-sandbox.ts'

// Several starts in one test, each of a database of its own.
vi.setConfig({ testTimeout: 180_000 })

const isRoot = process.getuid?.() === 0

let stateDir: string

beforeEach(() => {
  stateDir = temporaryFolder()
  return () => rmSync(stateDir, { recursive: true, force: true })
})

const allGone = (pids: number[]) => waitForExit(() => pids.every((pid) => !isAlive(pid)), 20_000)

const signIn = (sandbox: Parameters<typeof client>[0], person: { email: string; password: string }) =>
  client(sandbox).auth.signInWithPassword(person)

/** A process id from Postgres itself: the one of the server, not of our process around it. */
async function postmaster(adminDatabaseUrl: string): Promise<number> {
  const sql = postgres(adminDatabaseUrl, { max: 1 })
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  const stat = readFileSync(`/proc/${row?.pid}/stat`, 'utf8')
  await sql.end()
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
}

describe('starting', () => {
  it('gives every setting of the app, demo people who can sign in, and the same as a file only we can read', async () => {
    const sandbox = await startTestSandbox({ stateDir })

    const customer = await signIn(sandbox, sandbox.demo.customer)
    const staff = await signIn(sandbox, sandbox.demo.staff)
    const file = readFileSync(join(stateDir, 'env'), 'utf8')
    const modes = ['env', 'secrets.json', 'mails.jsonl', 'logs/supabase.log'].map(
      (name) => statSync(join(stateDir, name)).mode & 0o077,
    )

    expect(customer.error).toBeNull()
    expect(staff.error).toBeNull()
    expect(Object.keys(sandbox.env)).toEqual([
      'APP_ORIGIN',
      'STRIPE_SECRET_KEY',
      'STRIPE_PUBLISHABLE_KEY',
      'STRIPE_WEBHOOK_SECRET',
      'STRIPE_API_BASE',
      'SUPABASE_URL',
      'SUPABASE_PUBLISHABLE_KEY',
      'DATABASE_URL',
      'UPSTASH_REDIS_REST_URL',
      'UPSTASH_REDIS_REST_TOKEN',
      'CRON_SECRET',
      'SMTP_URL',
      'MAIL_FROM',
      'TRUSTED_PROXY_HOPS',
    ])
    for (const [name, value] of Object.entries(sandbox.env)) expect(file).toContain(`\n${name}=${value}\n`)
    expect(modes).toEqual([0, 0, 0, 0])
    expect([sandbox.demo.customer, sandbox.demo.staff].every(({ password }) => password.length >= 12)).toBe(
      true,
    )
    const [row] = await sandbox.admin`
      select s.role from private.staff s join auth.users u on u.id = user_id where email = ${sandbox.demo.staff.email}`
    expect(row?.role).toBe('admin')
    await sandbox.close()
  })

  it('a taken port is named together with its setting, and nothing is left running', async () => {
    const ports = await freePorts()
    const other = createServer().listen(ports.upstash, '127.0.0.1')
    await new Promise((resolve) => other.once('listening', resolve))

    const failure = await startSandbox({ stateDir, ports, appOrigin: 'http://localhost:3000' }).catch(
      (error) => error,
    )
    other.close()

    expect(failure).toBeInstanceOf(PortTakenError)
    expect(failure.message).toBe(
      `Port ${ports.upstash} is taken by another program. Free it or set SANDBOX_UPSTASH_PORT to another port.`,
    )
    expect(existsSync(join(stateDir, 'lock'))).toBe(false)
  })

  it('a second start on the same folder says that one is running', async () => {
    const sandbox = await startTestSandbox({ stateDir, only: ['mailbox'] })

    const failure = await startTestSandbox({ stateDir, only: ['mailbox'] }).catch((error) => error)
    await sandbox.stop()

    expect(failure).toBeInstanceOf(SandboxRunningError)
    expect(failure.message).toContain(stateDir)
  })

  it('a lock whose owner is gone, or that makes no sense, is taken over', async () => {
    for (const content of ['{"owner":{"pid":4194300,"startedAt":"1"},"children":[]}', 'torn']) {
      writeFileSync(join(stateDir, 'lock'), content)
      const sandbox = await startTestSandbox({ stateDir, only: ['mailbox'] })
      await sandbox.stop()
    }

    expect(existsSync(join(stateDir, 'lock'))).toBe(false)
  })

  it('reset forgets people, mails and keys', async () => {
    const first = await startTestSandbox({ stateDir })
    await first.admin`create table public.remembered (id int)`
    await first.stop()

    const second = await startTestSandbox({ stateDir, reset: true })
    const [row] = await second.admin`select to_regclass('public.remembered') as found`
    await second.close()

    expect(row?.found).toBeNull()
    expect(second.env.SUPABASE_PUBLISHABLE_KEY).not.toBe(first.env.SUPABASE_PUBLISHABLE_KEY)
  })
})

describe('stopping and crashing', () => {
  it('a restart keeps people, sessions and keys', async () => {
    const ports = await freePorts()
    const first = await startTestSandbox({ stateDir, ports })
    const { data } = await signIn(first, first.demo.customer)
    await first.stop()

    const second = await startTestSandbox({ stateDir, ports })
    const user = await client(second).auth.getUser(data.session?.access_token)
    const claims = await client(second).auth.getClaims(data.session?.access_token)
    const refreshed = await client(second).auth.refreshSession({
      refresh_token: data.session?.refresh_token ?? '',
    })
    await second.close()

    expect(user.data.user?.email).toBe(first.demo.customer.email)
    expect(claims.error).toBeNull()
    expect(refreshed.error).toBeNull()
    expect(second.env).toEqual(first.env)
  })

  it('the parts stop by themselves when their starter is killed', async () => {
    const started = await startElsewhere({ stateDir })
    const server = await postmaster(started.adminDatabaseUrl)
    const children = childrenOf(stateDir)

    killHard([started.pid])

    expect(children.length).toBeGreaterThanOrEqual(4)
    expect(await allGone([...children, server])).toBe(true)
  })

  it('after a kill of every process at once the next start finds everything committed', async () => {
    const ports = await freePorts()
    const started = await startElsewhere({ stateDir, ports })
    const sql = postgres(started.adminDatabaseUrl, { max: 1 })
    await sql`create table public.kept as select 42 as answer`
    await sql.end()

    killHard([await postmaster(started.adminDatabaseUrl), ...childrenOf(stateDir), started.pid])
    const again = await startTestSandbox({ stateDir, ports })
    const [row] = await again.admin`select answer from public.kept`
    const { error } = await signIn(again, again.demo.customer)
    await again.close()

    expect(row?.answer).toBe(42)
    expect(error).toBeNull()
  })

  it('a Postgres that survived the kill of everything around it is stopped by the next start', async () => {
    const ports = await freePorts()
    const started = await startElsewhere({ stateDir, ports })
    const server = await postmaster(started.adminDatabaseUrl)

    // What is around it first: when the starter is gone, that would stop Postgres in good order.
    killHard([...childrenOf(stateDir), started.pid])
    const survived = isAlive(server)
    const again = await startTestSandbox({
      stateDir,
      ports: { ...(await freePorts()), postgres: ports.postgres },
    })
    await again.close()

    expect(survived).toBe(true)
    expect(isAlive(server)).toBe(false)
  })

  it('a part that ends later is reported; with the database away Auth and REST answer 503', async () => {
    const onExit = vi.fn()
    const sandbox = await startTestSandbox({ stateDir, onExit })
    const backends = await sandbox.admin<{ pid: number }[]>`select pid from pg_stat_activity`
    process.kill(await postmaster(sandbox.adminDatabaseUrl), 'SIGKILL')
    await vi.waitFor(() => expect(onExit).toHaveBeenCalledWith('postgres', 1), 10_000)
    // Whoever was connected is served until the process at the other end notices.
    expect(await allGone(backends.map(({ pid }) => pid))).toBe(true)

    const headers = {
      apikey: setting(sandbox, 'SUPABASE_PUBLISHABLE_KEY'),
      'content-type': 'application/json',
    }
    const at = (path: string, body?: object) =>
      fetch(setting(sandbox, 'SUPABASE_URL') + path, {
        headers,
        ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      })
    const answers = await Promise.all([
      at('/rest/v1/products?select=id'),
      at('/rest/v1/rpc/anything', {}),
      at('/auth/v1/token?grant_type=password', sandbox.demo.customer),
      at('/auth/v1/token?grant_type=refresh_token', { refresh_token: 'x' }),
      at('/auth/v1/signup', { email: 'new@example.com', password: 'long enough for this' }),
    ])
    await sandbox.close()

    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503])
    expect(await answers[0]?.json()).toMatchObject({ code: 'PGRST002' })
  })

  it('logs hold no secret, token or mail address', async () => {
    const sandbox = await startTestSandbox({ stateDir })
    const { data } = await signIn(sandbox, sandbox.demo.customer)
    await client(sandbox).auth.signUp({ email: 'Logged@example.com', password: 'a logged password' })
    await sandbox.admin`select no_such_column from auth.users where email = 'logged@example.com'`.catch(
      () => {},
    )
    await sandbox.stop()

    const logs = readdirSync(join(stateDir, 'logs'))
      .map((name) => readFileSync(join(stateDir, 'logs', name), 'utf8'))
      .join('\n')
    const secrets: Record<string, unknown> = JSON.parse(readFileSync(join(stateDir, 'secrets.json'), 'utf8'))

    for (const secret of Object.values(secrets))
      if (typeof secret === 'string') expect(logs).not.toContain(secret)
    expect(logs).not.toContain(data.session?.access_token)
    expect(logs).not.toMatch(/@example\.com/i)
    await sandbox.close()
  })
})

describe('users', () => {
  it('an ordinary user can run it', async () => {
    // As root the test lends the state folder to `nobody`, which must be able to read the project at all.
    const runAs = unprivilegedUser()
    const readable = !runAs || !import.meta.dirname.startsWith('/root/')
    if (!readable) return expect(statSync('/root').mode & 0o001).toBe(0)
    if (runAs) chownSync(stateDir, runAs.uid, runAs.gid)

    const started = await startElsewhere({ stateDir, ...(runAs ? { runAs } : {}) })
    const { error } = await signIn(started, started.demo.customer)
    const owner = statSync(join(stateDir, 'postgres/data')).uid
    await stopElsewhere(started)

    expect(error).toBeNull()
    expect(owner).toBe(runAs?.uid ?? process.getuid?.())
  })

  it('keeps its state where nobody else may enter, as in the home folder of root', async () => {
    const hidden = join(stateDir, 'home', 'project', '.sandbox')
    chmodSync(stateDir, 0o700)

    const first = await startTestSandbox({ stateDir: hidden })
    await first.admin`create table public.hidden_away (id int)`
    await first.stop()
    const second = await startTestSandbox({ stateDir: hidden })
    const [row] = await second.admin`select to_regclass('public.hidden_away')::text as found`
    await second.stop()

    expect(row?.found).toBe('hidden_away')
    // Root's Postgres runs as `nobody`, so its data has to be elsewhere.
    expect(existsSync(join(hidden, 'postgres'))).toBe(!isRoot)
    expect(hidden.startsWith(tmpdir())).toBe(true)
    await second.close()
  })
})
