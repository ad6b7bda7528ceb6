import 'server-only'
import pino from 'pino'
import { type Level, logTo } from '../log'
import type { LogFields } from '../log-fields'

/**
 * Records leave as one JSON line each on stdout. Written at once and not through pino's worker: what a process says while it
 * dies must not be lost with it, and a bundled server has no worker file.
 */
export function writeWithPino(): void {
  const output = pino.destination({ dest: 1, sync: true })
  const logger = pino(
    {
      // log.ts has dropped what is below LOG_LEVEL.
      level: 'debug',
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    output,
  )
  logTo((level: Level, event: string, fields: LogFields) => logger[level](fields, event))
}
