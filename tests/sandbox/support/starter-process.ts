import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { isAlive, waitForExit } from '../../../sandbox/process-identity.ts'
import { freePorts, type Sandbox, type SandboxPorts } from '../../../sandbox/start.ts'

export type Started = Omit<Sandbox, 'stop'> & { pid: number; process: ChildProcess }

type Options = { stateDir: string; ports?: SandboxPorts; runAs?: { uid: number; gid: number } }

/** Start a sandbox in another process, so that this one can kill it. Rejects with what went wrong. */
export async function startElsewhere({ stateDir, ports, runAs }: Options): Promise<Started> {
  // Of this process's own ones: those of another could be what a third chooses from at the same time.
  const chosen = ports ?? (await freePorts())
  const args = [join(import.meta.dirname, 'starter.ts'), stateDir, JSON.stringify(chosen)]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, HOME: stateDir, NODE_NO_WARNINGS: '1', NODE_ENV: 'test' },
    cwd: '/',
    ...runAs,
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`The starter ended with ${code}`)))
    createInterface(child.stdout).once('line', (line) => {
      const answer = JSON.parse(line) as Started & { failed?: string }
      if (answer.failed) reject(new Error(answer.failed))
      else resolve({ ...answer, pid: child.pid ?? 0, process: child })
    })
  })
}

export async function stopElsewhere({ pid, process: child }: Started): Promise<void> {
  child.kill('SIGTERM')
  await waitForExit(() => !isAlive(pid), 20_000)
}

/** The processes of a running sandbox, by its lock. */
export function childrenOf(stateDir: string): number[] {
  const { children } = JSON.parse(readFileSync(join(stateDir, 'lock'), 'utf8')) as {
    children: { pid: number }[]
  }
  return children.map(({ pid }) => pid)
}

/** In this order. Each ends by itself when its starter is gone, and may have been quicker. */
export function killHard(pids: number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
