import { isCardNumber, withoutSecrets } from '@/lib/log-fields'

export type LogRecord = { level: string; time: string; event: string } & Record<string, unknown>

/** What Next prints before it has started us; from then on there are only records. */
const BANNER = /^(\s*$|▲ Next\.js|- (Local|Network):|✓ |⚠ The "middleware" file convention)/
const IDS = /\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g

/** The records among a server's lines. @throws Error for a line that is neither one nor part of the banner. */
export function recordsOf(lines: readonly string[]): LogRecord[] {
  return lines.filter((line) => !BANNER.test(line)).map(recordOf)
}

/** Lines of records in which something looks like a secret or a card number, whatever it is. */
export function suspicious(lines: readonly string[]): string[] {
  return lines.filter((line) => {
    const text = line.replace(IDS, 'id')
    const cards = (text.match(/\b\d(?:[ -]?\d){12,18}\b/g) ?? []).filter(isCardNumber)
    return cards.length > 0 || withoutSecrets(text) !== text
  })
}

/** @throws Error when servers wrote anything but records, or something that looks like a secret (L1, L5). */
export function assertClean(lines: readonly string[]): void {
  recordsOf(lines)
  const found = suspicious(lines)
  if (found.length > 0) throw new Error(`these log lines hold what looks like a secret:\n${found.join('\n')}`)
}

function recordOf(line: string): LogRecord {
  try {
    const record = JSON.parse(line) as LogRecord
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(record.time)) throw new Error('no UTC time')
    if (typeof record.event !== 'string') throw new Error('no event')
    return record
  } catch {
    throw new Error(`not a log record: ${line}`)
  }
}
