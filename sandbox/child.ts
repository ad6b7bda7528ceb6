import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { SandboxPart } from './ports.ts'

export type Child = {
  part: SandboxPart
  pid: number
  /** Settles when the process is gone, whatever the reason. */
  exited: Promise<number | null>
  stop(): Promise<void>
}

const READY_TIMEOUT_MS = 90_000
const STOP_TIMEOUT_MS = 25_000
const LOG_LIMIT_BYTES = 5 * 1024 * 1024

/**
 * Start `sandbox/<part>/main.ts` and wait until it says `ready`. What it writes goes to `<stateDir>/logs/`.
 * @throws Error with the last lines of the part when it ends before it is ready.
 */
export async function startChild(options: {
  part: SandboxPart
  settings: Record<string, string>
  stateDir: string
  onSpawn(pid: number): void
}): Promise<Child> {
  const { part, stateDir } = options
  const log = openLog(stateDir, part)
  const child = spawn(process.execPath, [join(import.meta.dirname, part, 'main.ts')], {
    env: { ...inheritedEnvironment(), ...options.settings },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches the starter only, which then stops the parts in their order.
    detached: true,
  })
  const pid = child.pid
  // Closing a pipe to a process that has just died is no news; `exited` tells.
  child.stdin.on('error', () => {})

  const lastLines: string[] = []
  const keep = (line: string) => {
    log.write(line)
    lastLines.push(line)
    if (lastLines.length > 12) lastLines.shift()
  }
  createInterface(child.stderr).on('line', keep)
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', (code) => {
      log.close()
      resolve(code)
    })
  })

  const ready = new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => (line === 'ready' ? resolve() : keep(line)))
  })

  const stop = async () => {
    child.stdin.end()
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(timer)
  }

  if (pid === undefined) throw new Error(`The ${part} part of the sandbox could not be started`)
  options.onSpawn(pid)

  const timeout = AbortSignal.timeout(READY_TIMEOUT_MS)
  const outcome = await Promise.race([
    ready.then(() => 'ready' as const),
    exited.then(() => 'exited' as const),
    new Promise<'timeout'>((resolve) => timeout.addEventListener('abort', () => resolve('timeout'))),
  ])
  if (outcome !== 'ready') {
    if (outcome === 'timeout') child.kill('SIGKILL')
    await exited
    const reason = outcome === 'timeout' ? 'did not become ready in time' : 'ended before it was ready'
    throw new Error(`The ${part} part of the sandbox ${reason}:\n${lastLines.join('\n')}`)
  }
  return { part, pid, exited, stop }
}

/**
 * The parts get their own settings only: no NODE_OPTIONS of a test runner, no key of the developer. NODE_ENV is
 * the starter's: a part that refuses to run in production must be able to see that it would.
 */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const passed = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'REDIS_URL', 'SANDBOX_ALLOW_PRODUCTION']
  const entries = passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))
  return {
    ...Object.fromEntries(entries),
    NODE_ENV: process.env.NODE_ENV ?? 'development',
    NODE_NO_WARNINGS: '1',
    // What a part runs is compiled once, not at each start: that is half of what a start takes.
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../node_modules/.cache/paywright/compiled'),
    // No part may report to anybody.
    DO_NOT_TRACK: '1',
    LITE_TELEMETRY: '0',
  }
}

function openLog(stateDir: string, part: SandboxPart) {
  const folder = join(stateDir, 'logs')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${part}.log`)
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > LOG_LIMIT_BYTES) rmSync(path)
  const descriptor = openSync(path, 'a', 0o600)
  let open = true
  return {
    write(line: string) {
      if (open) writeSync(descriptor, `${line}\n`)
    },
    close() {
      if (open) closeSync(descriptor)
      open = false
    },
  }
}
