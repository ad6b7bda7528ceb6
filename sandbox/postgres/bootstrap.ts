import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { getAuthSchemaSql } from '@supabase/lite'
import postgres from 'postgres'
import { SUPERUSER } from './data-folder.ts'

/**
 * What new objects of role `postgres` in schema `public` get on their own. Hosted projects made before 2026
 * have `grant-all`; newer ones may have `grant-nothing`. Migrations must come to the same end under both.
 */
export type DefaultPrivileges = 'grant-all' | 'grant-nothing'

export type BootstrapConfig = {
  port: number
  superuserPassword: string
  postgresPassword: string
  defaultPrivileges: DefaultPrivileges
}

/** Make an empty PostgreSQL look like a hosted Supabase database before its first migration. Repeatable. */
export async function bootstrap(config: BootstrapConfig): Promise<void> {
  const sql = postgres({
    host: '127.0.0.1',
    port: config.port,
    user: SUPERUSER,
    password: config.superuserPassword,
    database: 'postgres',
    max: 1,
    onnotice: () => {},
  })
  try {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(readSql('roles.sql'))
      await transaction.unsafe(defaultPrivilegesSql(config.defaultPrivileges))
      await transaction.unsafe(getAuthSchemaSql())
      await transaction.unsafe(readSql('auth-schema.sql'))
      await setPassword(transaction, 'postgres', config.postgresPassword)
    })
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** `alter role` takes no parameters, so the server itself does the quoting. */
export async function setPassword(sql: postgres.ISql, role: string, password: string): Promise<void> {
  const [row] = await sql<{ statement: string }[]>`
    select format('alter role %I password %L', ${role}::text, ${password}::text) as statement`
  if (row) await sql.unsafe(row.statement)
}

function defaultPrivilegesSql(preset: DefaultPrivileges): string {
  const roles = 'anon, authenticated, service_role'
  const verb = preset === 'grant-all' ? `grant all on %s to ${roles}` : `revoke all on %s from ${roles}`
  return ['tables', 'functions', 'sequences']
    .map((kind) => `alter default privileges for role postgres in schema public ${verb.replace('%s', kind)};`)
    .join('\n')
}

const readSql = (name: string) => readFileSync(join(import.meta.dirname, name), 'utf8')
