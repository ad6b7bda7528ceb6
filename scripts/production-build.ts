import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root, run, tool } from './processes.ts'
import { forgetBuild, isBuildFresh, rememberBuild, sourceStamp } from './source-stamp.ts'

const lockFile = path.join(root, 'node_modules', '.cache', 'paywright', 'build.lock')
const LOCK_TIMEOUT_MS = 10 * 60_000

/** Runs `next build`; answers its exit code. The build needs no settings at all. */
export async function build(extraArguments: readonly string[] = []): Promise<number> {
  return await withBuildLock(() => buildNow(extraArguments))
}

/**
 * Builds unless `.next` already holds a build of exactly these sources.
 * @throws Error when the build fails.
 */
export async function ensureBuild(): Promise<void> {
  await withBuildLock(async () => {
    if (isBuildFresh()) return
    if ((await buildNow([])) !== 0) throw new Error('next build failed; its messages are above')
  })
}

async function buildNow(extraArguments: readonly string[]): Promise<number> {
  const stamp = sourceStamp()
  forgetBuild()
  const status = await run([...tool('next'), 'build', ...extraArguments], { NODE_ENV: 'production' })
  if (status === 0) rememberBuild(stamp)
  return status
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
