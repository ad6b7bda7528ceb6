import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { setting, startTestSandbox, type TestSandbox } from '../support/test-sandbox.ts'

let sandbox: TestSandbox

beforeAll(async () => {
  sandbox = await startTestSandbox({ only: ['postgres'] })
})

afterAll(() => sandbox?.close())

describe('a database like the hosted one', () => {
  it('has its roles with their powers and no others', async () => {
    const roles = await sandbox.admin`
      select rolname as name, rolsuper as super, rolcanlogin as login, rolinherit as inherit, rolbypassrls as bypass,
        rolcreaterole as create
      from pg_roles where rolname in ('postgres', 'anon', 'authenticated', 'service_role', 'authenticator')
      order by rolname`

    const role = (name: string, powers: object) => ({
      name,
      super: false,
      login: false,
      inherit: false,
      bypass: false,
      create: false,
      ...powers,
    })
    expect([...roles]).toEqual([
      role('anon', {}),
      role('authenticated', {}),
      role('authenticator', { login: true }),
      role('postgres', { login: true, inherit: true, bypass: true, create: true }),
      role('service_role', { bypass: true }),
    ])
  })

  it('belongs to postgres, who may refer to and clean up auth.users but not change it', async () => {
    const [owners] = await sandbox.admin`
      select pg_get_userbyid(datdba) as database, (select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'public') as public
      from pg_database where datname = 'postgres'`

    expect(owners).toEqual({ database: 'postgres', public: 'postgres' })
    await sandbox.admin`create table public.refers (user_id uuid references auth.users (id) on delete set null)`
    await sandbox.admin`delete from auth.users where false`
    await expect(sandbox.admin`alter table auth.users add column mine int`).rejects.toThrow(/must be owner/)
    await expect(sandbox.admin`create role root superuser`).rejects.toThrow(/permission denied/)
  })

  it('has pgcrypto in schema extensions and the functions policies use', async () => {
    const [row] = await sandbox.admin`
      select length(extensions.gen_random_bytes(4)) as bytes, auth.uid() as uid, auth.role() as role, auth.jwt() as jwt`

    expect(row).toEqual({ bytes: 4, uid: null, role: null, jwt: null })
  })

  it('grants new tables to the API roles by itself, as older hosted projects do', async () => {
    await sandbox.admin`create table public.granted (id int)`

    const [row] = await sandbox.admin`select has_table_privilege('anon', 'public.granted', 'insert') as anon`

    expect(row?.anon).toBe(true)
  })

  it('wants a password, and the right one', async () => {
    const port = sandbox.ports.postgres
    const wrong = postgres({
      host: '127.0.0.1',
      port,
      user: 'postgres',
      password: randomBytes(6).toString('hex'),
      max: 1,
    })
    const none = postgres({ host: '127.0.0.1', port, user: 'supabase_admin', max: 1 })

    await expect(wrong`select 1`).rejects.toThrow(/password authentication failed/)
    await expect(none`select 1`).rejects.toThrow()
  })

  it('lets the service role of the app in with its own password', async () => {
    const sql = postgres(setting(sandbox, 'DATABASE_URL'), { max: 1 })

    const [row] = await sql`select current_user as name`
    await sql.end()

    expect(row?.name).toBe('payments_service')
  })
})

it('the newer preset grants nothing by itself, and the migrations still apply', async () => {
  const other = await startTestSandbox({ only: ['postgres'], tuning: { defaultPrivileges: 'grant-nothing' } })
  try {
    await other.admin`create table public.granted (id int)`

    const [row] = await other.admin`
      select has_table_privilege('anon', 'public.granted', 'select') as anon,
        has_table_privilege('service_role', 'public.granted', 'select') as service`

    expect(row).toEqual({ anon: false, service: false })
  } finally {
    await other.close()
  }
})
