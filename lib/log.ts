import { env } from './env'
import { allowed, type LogFields } from './log-fields'
import { processWide } from './process-wide'
import { currentRequest } from './request-context'

export { errorFields } from './log-fields'

export type Level = 'debug' | 'info' | 'warn' | 'error'
export type Write = (level: Level, event: string, fields: LogFields) => void

const ORDER = { debug: 10, info: 20, warn: 30, error: 40 }

/** Where records go: pino once a server has started, see process/write-with-pino.ts; the console on Edge and in scripts. */
const output = processWide<{ write: Write }>('log', () => ({ write: writeToConsole }))

export function logTo(write: Write): void {
  output.write = write
}

function record(level: Level, event: string, fields: LogFields = {}): void {
  const isSecurity = fields.category === 'security'
  const least = env().logLevel
  if (least === 'silent' || (ORDER[level] < ORDER[least] && !isSecurity)) return
  output.write(level, event, allowed({ ...currentRequest(), ...fields }))
}

function writeToConsole(level: Level, event: string, fields: LogFields): void {
  const line = JSON.stringify({ level, time: new Date().toISOString(), ...fields, event })
  if (level === 'error' || level === 'warn') console.error(line)
  else console.log(line)
}

/** One JSON object a line, with the request, the person and the Stripe event it belongs to. */
export const log = {
  debug: (event: string, fields?: LogFields) => record('debug', event, fields),
  info: (event: string, fields?: LogFields) => record('info', event, fields),
  warn: (event: string, fields?: LogFields) => record('warn', event, fields),
  error: (event: string, fields?: LogFields) => record('error', event, fields),
  /** Signing in and out, refusals, limits, acts of staff. Only LOG_LEVEL=silent leaves these out. */
  security: (event: string, fields?: LogFields) => record('info', event, { ...fields, category: 'security' }),
  /** Who read what of a customer's data. */
  access: (event: string, fields?: LogFields) => record('info', event, { ...fields, category: 'access' }),
}
