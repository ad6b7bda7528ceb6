import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type NativePostgres, publicBase, type RunAs } from './native-files.ts'

export const SUPERUSER = 'supabase_admin'

/**
 * Where the data is kept: `<stateDir>/postgres`, or, as root and when `nobody` cannot get there, a folder of
 * `/var/lib/paywright` that is named after the state folder, so that the next start finds it again.
 */
export function dataHome(stateDir: string, runAs: RunAs): string {
  if (!runAs) return join(stateDir, 'postgres')
  // Our own files in it are private one by one; passing through is all that is given.
  chmodSync(stateDir, 0o711)
  if (everyoneMayPass(stateDir)) return join(stateDir, 'postgres')
  const base = publicBase()
  removeAbandoned(base)
  return join(base, `data-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}`)
}

export const dataFolder = (stateDir: string, runAs: RunAs) => join(dataHome(stateDir, runAs), 'data')

/**
 * The data directory, initialised when it is new. One that belongs to another install (the state folder was
 * deleted by hand) is replaced: nobody knows its passwords any more.
 */
export function prepareData(options: {
  native: NativePostgres
  stateDir: string
  installId: string
  password: string
}): string {
  const { native, stateDir } = options
  const home = dataHome(stateDir, native.runAs)
  const data = join(home, 'data')
  const marker = join(home, 'install')
  if (existsSync(join(data, 'PG_VERSION')) && readText(marker) === options.installId) return data

  rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writeFileSync(join(home, 'origin'), stateDir)
  own(home, native.runAs)

  // Initialised under another name: a start that is killed half-way leaves nothing that looks finished.
  const unfinished = join(home, 'unfinished')
  initialise(native, unfinished, options.password)
  renameSync(unfinished, data)
  writeFileSync(marker, options.installId)
  return data
}

/** Delete the data of a state folder, wherever it is kept. */
export function removeData(stateDir: string, runAs: RunAs): void {
  if (existsSync(stateDir)) rmSync(dataHome(stateDir, runAs), { recursive: true, force: true })
}

function initialise(native: NativePostgres, folder: string, password: string): void {
  const passwordFile = `${folder}.password`
  writeFileSync(passwordFile, password, { mode: 0o600 })
  own(passwordFile, native.runAs)
  try {
    execFileSync(
      native.initdb,
      [
        `--pgdata=${folder}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // Sorting that is the same on every machine, whatever locales it has installed.
        '--locale=C',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--no-sync',
        '--no-instructions',
      ],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        cwd: dirname(folder),
        ...native.runAs,
        env: { PATH: process.env.PATH, TZ: 'UTC', NODE_ENV: 'production' },
      },
    )
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

function own(path: string, runAs: RunAs): void {
  if (runAs) chownSync(path, runAs.uid, runAs.gid)
}

function everyoneMayPass(folder: string): boolean {
  if ((statSync(folder).mode & 0o001) === 0) return false
  return dirname(folder) === folder || everyoneMayPass(dirname(folder))
}

/** State folders get deleted (those of tests above all); their data elsewhere should not stay for ever. */
function removeAbandoned(base: string): void {
  for (const name of readdirSync(base)) {
    if (!name.startsWith('data-')) continue
    const origin = readText(join(base, name, 'origin'))
    if (origin && !existsSync(origin)) rmSync(join(base, name), { recursive: true, force: true })
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
