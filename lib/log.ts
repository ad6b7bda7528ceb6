import { env } from './env'

type Level = 'debug' | 'info' | 'warn' | 'error'
/** Ids, counts, codes and states. Never a name, an address, a key, a token or a payload. */
type Fields = Record<string, string | number | boolean | null | undefined>

const ORDER = { debug: 10, info: 20, warn: 30, error: 40, silent: 99 }

function write(level: Level, event: string, fields: Fields = {}): void {
  if (ORDER[level] < ORDER[env().logLevel]) return
  const line = JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })
  if (level === 'error' || level === 'warn') console.error(line)
  else console.log(line)
}

/** One JSON object a line. */
export const log = {
  debug: (event: string, fields?: Fields) => write('debug', event, fields),
  info: (event: string, fields?: Fields) => write('info', event, fields),
  warn: (event: string, fields?: Fields) => write('warn', event, fields),
  error: (event: string, fields?: Fields) => write('error', event, fields),
}

/**
 * What of an unexpected error may be logged: its class, its code and the places in our code it came through. Messages
 * are left out, since libraries put values into them.
 */
export function errorFields(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: typeof error }
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
      ? error.code
      : undefined
  const frames = (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 6)
    .map((line) => line.trim())
  const cause = error.cause instanceof Error ? error.cause.name : undefined
  return { error: error.name, code, cause, at: frames.join(' | ') }
}
