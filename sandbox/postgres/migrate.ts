import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import postgres from 'postgres'

export class ChangedMigrationError extends Error {
  override readonly name = 'ChangedMigrationError'

  constructor(file: string) {
    super(
      `The migration ${file} was changed after it had been applied here. Undo the change and add a new migration, or start with --reset (local data is lost).`,
    )
  }
}

export class FailedMigrationError extends Error {
  override readonly name = 'FailedMigrationError'

  constructor(file: string, error: unknown) {
    const { code, message, position, where } = error as Record<string, string | undefined>
    const place = [position && `at character ${position}`, where].filter(Boolean).join(', ')
    super(`The migration ${file} failed: ${message ?? error} (${[code, place].filter(Boolean).join(' ')})`, {
      cause: error,
    })
  }
}

/** Any number, the same for every starter: two of them must not apply the same migration. */
const MIGRATION_LOCK = 7_412_093

/**
 * Apply `supabase/migrations/*.sql` in the order of their names, each in one transaction, as the role that
 * signs in with `databaseUrl` (`postgres`, as on hosted). Applied ones are kept in the table the Supabase CLI
 * keeps them in.
 * @returns the file names applied now.
 */
export async function migrate(options: {
  databaseUrl: string
  folder: string
  onApply?: (file: string) => void
}): Promise<string[]> {
  return withConnection(options.databaseUrl, async (sql) => {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`
    await createHistory(sql)
    const applied = await appliedHashes(sql)

    const now: string[] = []
    for (const migration of readMigrations(options.folder)) {
      if (applied.has(migration.version)) {
        const hash = applied.get(migration.version)
        if (hash && hash !== migration.hash) throw new ChangedMigrationError(migration.file)
        continue
      }
      options.onApply?.(migration.file)
      await apply(sql, migration)
      now.push(migration.file)
    }
    return now
  })
}

/** Run `seed.sql` in one transaction. It must be safe to run again. */
export async function seed(options: { databaseUrl: string; file: string }): Promise<void> {
  if (!existsSync(options.file)) return
  const text = readFileSync(options.file, 'utf8')
  await withConnection(options.databaseUrl, async (sql) => {
    await sql`select pg_advisory_lock(${MIGRATION_LOCK})`
    try {
      await sql.begin((transaction) => transaction.unsafe(text))
    } catch (error) {
      throw new FailedMigrationError(options.file, error)
    }
  })
}

type Migration = { file: string; version: string; name: string; text: string; hash: string }

function readMigrations(folder: string): Migration[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((file) => file.endsWith('.sql'))
    .sort()
    .map((file) => {
      const [, version, name] = /^(\d+)_(.+)\.sql$/.exec(file) ?? []
      if (!version || !name)
        throw new Error(`A migration must be named <number>_<name>.sql, and ${file} is not.`)
      const text = readFileSync(join(folder, file), 'utf8')
      return { file, version, name, text, hash: createHash('sha256').update(text).digest('hex') }
    })
}

async function createHistory(sql: postgres.Sql): Promise<void> {
  // The columns are the Supabase CLI's; the hashes are ours and live apart from it.
  await sql.unsafe(`
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
      version text not null primary key,
      statements text[],
      name text,
      created_by text,
      idempotency_key text unique,
      rollback text[]
    );
    create table if not exists supabase_migrations.sandbox_hashes (
      version text not null primary key references supabase_migrations.schema_migrations on delete cascade,
      sha256 text not null
    );`)
}

async function appliedHashes(sql: postgres.Sql): Promise<Map<string, string | null>> {
  const rows = await sql<{ version: string; sha256: string | null }[]>`
    select version, sha256
    from supabase_migrations.schema_migrations left join supabase_migrations.sandbox_hashes using (version)`
  return new Map(rows.map((row) => [row.version, row.sha256]))
}

async function apply(sql: postgres.Sql, migration: Migration): Promise<void> {
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(migration.text)
      // A migration may have changed the session; what follows must not depend on it.
      await transaction`reset role`
      await transaction`
        insert into supabase_migrations.schema_migrations (version, name, statements)
        values (${migration.version}, ${migration.name}, array[${migration.text}])`
      await transaction`
        insert into supabase_migrations.sandbox_hashes (version, sha256)
        values (${migration.version}, ${migration.hash})`
    })
  } catch (error) {
    throw new FailedMigrationError(migration.file, error)
  }
}

/** One session, ended afterwards: that also lets go of its advisory lock. */
async function withConnection<T>(databaseUrl: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {}, idle_timeout: 0, max_lifetime: null })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
