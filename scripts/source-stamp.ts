// Whether `.next` was built from the files as they are now. Contents count, not dates: a checkout changes dates at will.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './processes.ts'

const SOURCES = [
  'app',
  'components',
  'lib',
  'public',
  'middleware.ts',
  'instrumentation.ts',
  'next.config.js',
  'postcss.config.mjs',
  'tsconfig.json',
  'package-lock.json',
]
const buildId = path.join(root, '.next', 'BUILD_ID')
const stampFile = path.join(root, '.next', 'paywright-sources')

export function isBuildFresh(): boolean {
  return existsSync(buildId) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sourceStamp()
}

export function forgetBuild(): void {
  rmSync(stampFile, { force: true })
}

/** `stamp` is the one taken before the build began: a file changed during the build makes it stale. */
export function rememberBuild(stamp: string): void {
  writeFileSync(stampFile, stamp)
}

export function sourceStamp(): string {
  const hash = createHash('sha256')
  for (const file of SOURCES.flatMap((name) => filesUnder(path.join(root, name)))) {
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  }
  return hash.digest('hex')
}

function filesUnder(entry: string): string[] {
  const stats = statSync(entry, { throwIfNoEntry: false })
  if (stats === undefined) return []
  if (!stats.isDirectory()) return [entry]
  return readdirSync(entry)
    .toSorted()
    .flatMap((name) => filesUnder(path.join(entry, name)))
}
