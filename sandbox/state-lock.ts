import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { currentProcess, identify, isRunning, type ProcessIdentity, waitForExit } from './process-identity.ts'

export class SandboxRunningError extends Error {
  override readonly name = 'SandboxRunningError'

  constructor(stateDir: string, pid: number) {
    super(
      `A sandbox is already running on ${stateDir} (process ${pid}). Stop it first, or use another folder.`,
    )
  }
}

type LockContent = { owner: ProcessIdentity; children: ProcessIdentity[] }

export type StateLock = { addChild(pid: number): void; release(): void }

/** A starter that was just killed is still there for a moment. */
const DYING_MS = 1_000

/** How long the children of a killed starter may take to notice and stop by themselves. */
const ORPHAN_TIMEOUT_MS = 15_000

/**
 * One starter per state folder. A lock whose owner is dead is taken over, after its children have stopped.
 * @throws SandboxRunningError when the owner is alive.
 */
export async function lockState(stateDir: string): Promise<StateLock> {
  const path = join(stateDir, 'lock')
  const content: LockContent = { owner: currentProcess(), children: [] }

  while (!createExclusively(path, content)) {
    const text = readOrNull(path)
    if (text === null) continue
    const other = parse(text)
    if (other && !(await waitForExit(() => !isRunning(other.owner), DYING_MS))) {
      throw new SandboxRunningError(stateDir, other.owner.pid)
    }
    if (takeAway(path, text) && other) await endOrphans(other.children)
  }

  return {
    addChild(pid) {
      content.children.push(identify(pid))
      const temporary = `${path}.${process.pid}.tmp`
      writeFileSync(temporary, JSON.stringify(content))
      renameSync(temporary, path)
    },
    release: () => rmSync(path, { force: true }),
  }
}

/** Written first and linked then, so that nobody ever reads half a lock. */
function createExclusively(path: string, content: LockContent): boolean {
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, JSON.stringify(content))
  try {
    linkSync(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** Remove exactly the stale lock we read: between reading and removing, another starter may have replaced it. */
function takeAway(path: string, staleText: string): boolean {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch {
    return false
  }
  const taken = readOrNull(aside)
  if (taken !== staleText) {
    try {
      linkSync(aside, path)
    } catch {
      // A third starter holds it by now.
    }
  }
  rmSync(aside, { force: true })
  return taken === staleText
}

async function endOrphans(children: ProcessIdentity[]): Promise<void> {
  for (const child of children) {
    if (await waitForExit(() => !isRunning(child), ORPHAN_TIMEOUT_MS)) continue
    process.kill(child.pid, 'SIGKILL')
    await waitForExit(() => !isRunning(child), ORPHAN_TIMEOUT_MS)
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function parse(text: string): LockContent | null {
  try {
    return JSON.parse(text) as LockContent
  } catch {
    return null
  }
}
