// Starting and stopping other programs: nothing that is started here may be left behind.
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:os'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '..')

export type Settings = Record<string, string | undefined>

/** The environment for a child: the project's own tools are found first. */
export function childEnvironment(settings: Settings = {}): NodeJS.ProcessEnv {
  const bin = path.join(root, 'node_modules', '.bin')
  const inherited = process.env.PATH ?? ''
  const search = inherited.split(path.delimiter).includes(bin)
    ? inherited
    : `${bin}${path.delimiter}${inherited}`
  return { ...process.env, NEXT_TELEMETRY_DISABLED: '1', ...settings, PATH: search }
}

/** A tool of the project as [node, its file], which needs no shell and no PATH. */
export function tool(name: 'next' | 'vitest' | 'playwright' | 'biome' | 'tsc'): [string, string] {
  const files = {
    next: 'next/dist/bin/next',
    vitest: 'vitest/vitest.mjs',
    playwright: '@playwright/test/cli.js',
    biome: '@biomejs/biome/bin/biome',
    tsc: 'typescript/bin/tsc',
  }
  return [process.execPath, path.join(root, 'node_modules', files[name])]
}

const running = new Set<ChildProcess>()

/** Runs a command to its end with our own terminal, and answers its exit code. */
export async function run(command: readonly string[], settings: Settings = {}): Promise<number> {
  const [file = '', ...args] = command
  const child = spawn(file, args, { cwd: root, stdio: 'inherit', env: childEnvironment(settings) })
  running.add(child)
  const status = await new Promise<number>((resolve) => {
    child.on('error', (error) => {
      console.error(`Could not start ${path.basename(file)}: ${error.message}`)
      resolve(127)
    })
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 1 : constants.signals[signal])),
    )
  })
  running.delete(child)
  return status
}

/**
 * Calls `stop` once, on Ctrl-C, on a request to end, and when the process that started us is gone; a second Ctrl-C
 * ends at once. What `run` started is passed the signal.
 */
export function onStopRequest(stop: (signal: NodeJS.Signals) => void): void {
  let asked = false
  const ask = (signal: NodeJS.Signals) => {
    if (asked) process.exit(130)
    asked = true
    for (const child of running) child.kill(signal)
    stop(signal)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(signal))
  process.on('disconnect', () => {
    if (!asked) ask('SIGTERM')
  })
  process.channel?.unref()
}

export type Leashed = {
  name: string
  pid: number
  /** Resolves with the exit code when the command has ended, for whatever reason. */
  exited: Promise<number>
  /** The last lines it wrote, newest last. */
  lastLines(): string[]
  /** Ends the command and everything it started; safe to call twice. */
  stop(): Promise<void>
}

/** Starts a server that ends when we end, however we end. Each line it writes is handed to `onLine`. */
export function spawnLeashed(options: {
  name: string
  command: readonly string[]
  settings?: Settings
  onLine?: (line: string) => void
}): Leashed {
  const leash = path.join(root, 'scripts', 'leashed.ts')
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', leash, ...options.command],
    {
      cwd: root,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: childEnvironment(options.settings),
    },
  )
  child.channel?.unref()

  const recent: string[] = []
  const keep = (line: string) => {
    recent.push(line)
    if (recent.length > 40) recent.shift()
    options.onLine?.(line)
  }
  readLines(child.stdout, keep)
  readLines(child.stderr, keep)

  const exited = new Promise<number>((resolve) => {
    child.on('error', () => resolve(127))
    // Even a leash that was killed itself takes everything in its group along.
    child.on('exit', () => killGroup(child))
    child.on('close', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 1 : constants.signals[signal])),
    )
  })

  return {
    name: options.name,
    pid: child.pid ?? 0,
    exited,
    lastLines: () => [...recent],
    stop: async () => {
      child.kill('SIGTERM')
      const late = setTimeout(() => killGroup(child), 6_000)
      await exited
      clearTimeout(late)
      killGroup(child)
    },
  }
}

function readLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = ''
  stream?.setEncoding('utf8')
  stream?.on('data', (chunk: string) => {
    const lines = `${rest}${chunk}`.split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
  stream?.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Everything in the group has ended already.
  }
}
