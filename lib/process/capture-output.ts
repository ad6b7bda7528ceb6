import 'server-only'
import { errorFields, log } from '../log'
import { withoutSecrets } from '../log-fields'
import { told } from '../log-request-error'

const LEVELS = {
  log: 'info',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
  warn: 'warn',
  error: 'error',
} as const

/**
 * Take over what Next and libraries print by themselves. They print errors whole, with the values in them, and over many
 * lines; here only what errorFields() and ownWords() let through becomes a record.
 */
export function captureOutput(): void {
  for (const method of ['log', 'info', 'debug', 'trace', 'warn', 'error'] as const) {
    console[method] = (...args: unknown[]) => retell(LEVELS[method], args)
  }
  capture(process.stdout, 'info')
  capture(process.stderr, 'error')
  process.removeAllListeners('warning')
  process.on('warning', (warning) => log.warn('node_warning', errorFields(warning)))
}

/** What goes past the console. pino does not: it writes to the file descriptor. */
function capture(stream: NodeJS.WriteStream, level: 'info' | 'error'): void {
  stream.write = (chunk: Uint8Array | string, ...rest: unknown[]) => {
    retell(level, [typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk)])
    const done = rest.find((argument) => typeof argument === 'function')
    if (done) queueMicrotask(() => done())
    return true
  }
}

function retell(level: 'debug' | 'info' | 'warn' | 'error', args: unknown[]): void {
  const [first] = args
  if (typeof first === 'string' && isFromEdge(first)) {
    relay(first)
    return
  }
  const error = args.find((argument) => argument instanceof Error)
  const text = ownWords(args.filter((argument) => typeof argument === 'string').join(' '))
  if (error) {
    // Next prints an error just before it tells onRequestError(), which knows more about it.
    setImmediate(() => {
      if (!told.has(error)) log[level]('printed', { text, ...errorFields(error) })
    })
  } else if (text) log[level]('printed', { text })
}

/** A record of log.ts, written to the console where there is no pino: middleware runs in a world of its own. */
function isFromEdge(line: string): boolean {
  return /^\{"level":"(debug|info|warn|error)","time":"/.test(line)
}

function relay(line: string): void {
  try {
    const { level, time: _time, event, ...fields } = JSON.parse(line)
    log[level as 'info'](String(event), fields)
  } catch {
    log.warn('printed', { text: 'a broken record' })
  }
}

/**
 * The words of a message up to where values begin: a colon, a quote, a bracket, a digit, an address. Enough to find the
 * place in the source of whoever wrote it.
 */
function ownWords(text: string): string {
  const [line = ''] = stripColours(text).trim().split('\n')
  const [words = ''] = line.split(/[:"'`([{<@/\d]/)
  return withoutSecrets(
    words
      .replace(/[^a-zA-Z ,.⨯⚠-]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  ).slice(0, 120)
}

function stripColours(text: string): string {
  return text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '')
}
