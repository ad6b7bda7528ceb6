import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import postgres from 'postgres'
import { removeData } from '../../sandbox/postgres/data-folder.ts'
import { unprivilegedUser } from '../../sandbox/postgres/native-files.ts'
import { loadSecrets } from '../../sandbox/secrets.ts'
import { databaseUrl } from '../../sandbox/settings.ts'
import { freePorts, startSandbox } from '../../sandbox/start.ts'
import { LANES, shareDatabases } from './databases'
import { randomSeed } from './seeds'

/** Postgres alone, migrated, with a database for each lane: schedules that run side by side must not meet. */
export default async function setup(): Promise<() => Promise<void>> {
  process.env.SIMULATION_SEED ??= String(randomSeed())
  const stateDir = mkdtempSync(path.join(tmpdir(), `paywright-simulation-${process.pid}-`))
  const ports = await freePorts()
  const sandbox = await startSandbox({
    stateDir,
    ports,
    appOrigin: 'http://localhost:3000',
    only: ['postgres'],
    tuning: { fsync: false },
  })
  const stop = async () => {
    await sandbox.stop()
    removeData(stateDir, unprivilegedUser())
    rmSync(stateDir, { recursive: true, force: true })
  }
  try {
    const secrets = loadSecrets(stateDir)
    const template = databaseUrl('supabase_admin', secrets.databaseAdminPassword, ports.postgres)
    await makeDatabases(template)
    const named = (url: string, name: string) => url.replace(/\/postgres$/, `/${name}`)
    shareDatabases({
      env: sandbox.env,
      lanes: LANES.map((lane) => ({
        superuserUrl: named(template, lane),
        serviceUrl: named(sandbox.env.DATABASE_URL ?? '', lane),
      })),
    })
  } catch (error) {
    await stop()
    throw error
  }
  return stop
}

async function makeDatabases(superuserUrl: string): Promise<void> {
  const sql = postgres(superuserUrl.replace(/\/postgres$/, '/template1'), { max: 1, onnotice: () => {} })
  try {
    for (const lane of LANES) {
      await sql.unsafe(`create database ${lane} template postgres`)
      // Nobody kills the database here.
      await sql.unsafe(`alter database ${lane} set synchronous_commit = off`)
    }
  } finally {
    await sql.end({ timeout: 5 })
  }
}
