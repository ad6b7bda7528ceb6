import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findNativePostgres, locatePackage } from '../../../sandbox/postgres/native-files.ts'
import { temporaryFolder } from '../support/test-sandbox.ts'

const isRoot = process.getuid?.() === 0

let folder: string

/** A package as it is after an install without install scripts: its symbolic links are missing. */
beforeEach(() => {
  folder = temporaryFolder()
  cpSync(locatePackage(), join(folder, 'package'), { recursive: true, verbatimSymlinks: true })
  const list = readFileSync(join(folder, 'package/native/pg-symlinks.json'), 'utf8')
  for (const { target } of JSON.parse(list) as { target: string }[]) {
    rmSync(join(folder, 'package', target), { force: true })
  }
  // Copies are shared by version: what happens to ours here must not happen to one that others run from.
  const manifest = join(folder, 'package/package.json')
  const version = `0.0.0-test-${randomUUID()}`
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), version }))
})

afterEach(() => {
  const copied = dirname(dirname(findNativePostgres(join(folder, 'package')).postgres))
  if (copied.includes('-test-')) rmSync(copied, { recursive: true, force: true })
  rmSync(folder, { recursive: true, force: true })
})

describe('the binaries', () => {
  it('run although the install script of their package was blocked', () => {
    chmodSync(folder, 0o755)

    const native = findNativePostgres(join(folder, 'package'))

    expect(version(native)).toMatch(/^postgres \(PostgreSQL\) 17\./)
  })

  it('run where the user of Postgres cannot enter the folder they are in', () => {
    chmodSync(folder, 0o700)

    const native = findNativePostgres(join(folder, 'package'))

    expect(version(native)).toMatch(/^postgres \(PostgreSQL\) 17\./)
    // Only root has to hand over to somebody else; an ordinary user runs them in place.
    expect(native.postgres.startsWith(folder)).toBe(!isRoot)
    if (isRoot) expect(writableByOthers(dirname(dirname(native.postgres)))).toEqual([])
  })

  it('are copied once and used again', () => {
    chmodSync(folder, 0o700)

    const first = findNativePostgres(join(folder, 'package'))
    const inode = lstatSync(first.postgres).ino
    const second = findNativePostgres(join(folder, 'package'))

    expect(second.postgres).toBe(first.postgres)
    expect(lstatSync(second.postgres).ino).toBe(inode)
  })

  it('a copy that lost files is made anew', () => {
    chmodSync(folder, 0o700)
    const first = findNativePostgres(join(folder, 'package'))
    const file = join(dirname(dirname(first.postgres)), 'share/postgresql/postgres.bki')
    if (isRoot) rmSync(file)

    findNativePostgres(join(folder, 'package'))

    expect(existsSync(file)).toBe(true)
  })
})

function version({ postgres, runAs }: ReturnType<typeof findNativePostgres>): string {
  return execFileSync(postgres, ['--version'], { encoding: 'utf8', cwd: '/', ...runAs })
}

function writableByOthers(root: string): string[] {
  return readdirSync(root, { recursive: true })
    .map(String)
    .filter((name) => {
      const entry = lstatSync(join(root, name))
      return !entry.isSymbolicLink() && (entry.mode & 0o022) !== 0
    })
}
