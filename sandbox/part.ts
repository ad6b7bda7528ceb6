import { format } from 'node:util'

/**
 * What every child process of the sandbox has in common: it reads its settings from the environment, says
 * `ready` on stdout once it listens, and stops when its parent is gone (stdin closes, also after a kill -9).
 */
export type RunningPart = { close(): Promise<void> }

/** How long a part may take to stop before it is made to. */
const STOP_TIMEOUT_MS = 20_000

export async function runPart(start: () => Promise<RunningPart>): Promise<void> {
  redactConsole()

  let running: RunningPart | null = null
  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref()
    await running?.close().catch((error: unknown) => console.error('stopping failed:', error))
    process.exit(0)
  }
  process.stdin.on('end', stop)
  process.stdin.on('close', stop)
  process.stdin.on('error', stop)
  process.stdin.resume()
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // The parent may be gone while we still write: nobody is left to tell, so that must not crash the stop.
  process.stdout.on('error', () => {})
  process.stderr.on('error', () => {})

  try {
    running = await start()
    process.stdout.write('ready\n')
  } catch (error) {
    process.stderr.write(`${redact(error instanceof Error ? error.message : String(error))}\n`)
    process.exit(1)
  }
}

/** A setting that must be there. Throws with its name, never with a value. */
export function setting(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`The setting ${name} is missing`)
  return value
}

export function numberSetting(name: string, fallback?: number): number {
  const text = process.env[name]
  if (!text && fallback !== undefined) return fallback
  const value = Number(setting(name))
  if (!Number.isFinite(value)) throw new Error(`The setting ${name} must be a number`)
  return value
}

const SECRET_SHAPES: [RegExp, string][] = [
  [/eyJ[\w-]+\.[\w-]+\.[\w-]*/g, '[token]'],
  [/\b(?:sb_secret|sb_publishable|sk|pk|rk|whsec)_[\w-]+/g, '[key]'],
  [/postgres(?:ql)?:\/\/\S+/g, '[database address]'],
  [/[\w.+-]+@[\w-]+\.[\w.-]+/g, '[mail address]'],
  [/\b\d(?:[ -]?\d){12,18}\b/g, '[number]'],
]

/** Libraries write what they like to the console; logs must hold no token, key, mail or card number. */
export function redact(text: string): string {
  return SECRET_SHAPES.reduce((result, [shape, name]) => result.replace(shape, name), text)
}

function redactConsole(): void {
  const write = (...values: unknown[]) => {
    process.stderr.write(`${new Date().toISOString()} ${redact(format(...values))}\n`)
  }
  console.log = write
  console.info = write
  console.debug = write
  console.warn = write
  console.error = write
}
