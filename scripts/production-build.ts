import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root, run, type Settings, tool } from './processes.ts'
import { forgetBuild, isBuildFresh, rememberBuild, sourceStamp } from './source-stamp.ts'

const lockFile = path.join(root, 'node_modules', '.cache', 'paywright', 'build.lock')
const LOCK_TIMEOUT_MS = 10 * 60_000

/** Runs `next build`; answers its exit code. The build needs no settings at all. */
export async function build(extraArguments: readonly string[] = []): Promise<number> {
  return await withBuildLock(() => buildNow(extraArguments))
}

/**
 * Builds unless `.next` already holds a build of exactly these sources. Such a build was made with a canary in every setting:
 * tests look for them in what is built (and it needs no setting, so they do no harm).
 * @throws Error when the build fails.
 */
export async function ensureBuild(): Promise<void> {
  await withBuildLock(async () => {
    if (isBuildFresh()) return
    const stamp = sourceStamp()
    if ((await buildNow([], canaries())) !== 0) throw new Error('next build failed; its messages are above')
    rememberBuild(stamp)
  })
}

async function buildNow(extraArguments: readonly string[], settings: Settings = {}): Promise<number> {
  forgetBuild()
  return await run([...tool('next'), 'build', ...extraArguments], { ...settings, NODE_ENV: 'production' })
}

/** What the canaries begin with. */
export const CANARY = 'canary-of-the-build'

/** Each setting that lib/env.ts reads, but those that the platform sets. */
export function settingNames(): string[] {
  const source = readFileSync(path.join(root, 'lib', 'env.ts'), 'utf8')
  const names = [...source.matchAll(/^ {2}([A-Z][A-Z\d_]+): /gm)].map(([, name = '']) => name)
  return names.filter((name) => name !== 'NODE_ENV' && name !== 'VERCEL_ENV')
}

function canaries(): Settings {
  return Object.fromEntries(settingNames().map((name) => [name, `${CANARY}-${name}`]))
}

/** Two builds into one `.next` would mix; a lock left by a process that is gone does not count. */
async function withBuildLock<Result>(work: () => Promise<Result>): Promise<Result> {
  mkdirSync(path.dirname(lockFile), { recursive: true })
  const deadline = Date.now() + LOCK_TIMEOUT_MS
  while (!takeLock()) {
    if (Date.now() > deadline)
      throw new Error('Another build has been running for ten minutes; giving up on it')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  try {
    return await work()
  } finally {
    rmSync(lockFile, { force: true })
  }
}

function takeLock(): boolean {
  try {
    writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    const holder = existsSync(lockFile) ? Number(readFileSync(lockFile, 'utf8')) : Number.NaN
    if (holder > 0 && !isAlive(holder)) rmSync(lockFile, { force: true })
    return false
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
