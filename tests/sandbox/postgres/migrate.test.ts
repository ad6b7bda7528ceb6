import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  ChangedMigrationError,
  FailedMigrationError,
  migrate,
  seed,
} from '../../../sandbox/postgres/migrate.ts'
import { startTestSandbox, type TestSandbox, temporaryFolder } from '../support/test-sandbox.ts'

let sandbox: TestSandbox
let folder: string
let round = 0

beforeAll(async () => {
  sandbox = await startTestSandbox({ only: ['postgres'] })
})

afterAll(() => sandbox?.close())

/** Versions in the far future, so that the project's own migrations stay out of the way. */
beforeEach(() => {
  round += 1
  folder = temporaryFolder()
  mkdirSync(folder, { recursive: true })
  return () => rmSync(folder, { recursive: true, force: true })
})

const version = (n: number) => `29990101${String(round).padStart(3, '0')}${String(n).padStart(3, '0')}`
const write = (n: number, name: string, text: string) =>
  writeFileSync(join(folder, `${version(n)}_${name}.sql`), text)
const run = () => migrate({ databaseUrl: sandbox.adminDatabaseUrl, folder })

describe('migrations', () => {
  it('are applied once, in order, as the role postgres, and recorded as the Supabase CLI records them', async () => {
    write(2, 'second', `insert into public.steps_${round} values (current_user);`)
    write(1, 'first', `create table public.steps_${round} (by text);`)

    const first = await run()
    const second = await run()

    expect(first).toEqual([`${version(1)}_first.sql`, `${version(2)}_second.sql`])
    expect(second).toEqual([])
    expect([...(await sandbox.admin`select by from ${sandbox.admin(`steps_${round}`)}`)]).toEqual([
      { by: 'postgres' },
    ])
    const [row] = await sandbox.admin`
      select name, statements from supabase_migrations.schema_migrations where version = ${version(1)}`
    expect(row).toEqual({ name: 'first', statements: [`create table public.steps_${round} (by text);`] })
  })

  it('one that fails leaves nothing behind and names itself', async () => {
    write(1, 'broken', `create table public.half_${round} (id int); select 1 / 0;`)

    const failure = await run().catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(FailedMigrationError)
    expect(String(failure)).toContain(`${version(1)}_broken.sql`)
    const [row] = await sandbox.admin`select to_regclass(${`public.half_${round}`}) as found`
    expect(row?.found).toBeNull()
  })

  it('one that was changed after it had been applied is refused, and --reset is named', async () => {
    write(1, 'kept', 'select 1;')
    await run()
    write(1, 'kept', 'select 2;')

    const failure = await run().catch((error: unknown) => error)

    expect(failure).toBeInstanceOf(ChangedMigrationError)
    expect(String(failure)).toContain('--reset')
  })

  it('two starters at once apply each only once', async () => {
    write(1, 'slow', `select pg_sleep(0.3); create table public.once_${round} (id int);`)

    const both = await Promise.all([run(), run()])

    expect(both.flat()).toEqual([`${version(1)}_slow.sql`])
  })

  it('a seed runs again without harm, and a broken one says where', async () => {
    const file = join(folder, 'seed.sql')
    writeFileSync(
      file,
      `create table if not exists public.seeded_${round} (id int primary key);
       insert into public.seeded_${round} values (1) on conflict do nothing;`,
    )
    await seed({ databaseUrl: sandbox.adminDatabaseUrl, file })
    await seed({ databaseUrl: sandbox.adminDatabaseUrl, file })

    expect(await sandbox.admin`select * from ${sandbox.admin(`seeded_${round}`)}`).toHaveLength(1)
    writeFileSync(file, 'nonsense;')
    await expect(seed({ databaseUrl: sandbox.adminDatabaseUrl, file })).rejects.toThrow(/seed\.sql failed/)
  })
})
