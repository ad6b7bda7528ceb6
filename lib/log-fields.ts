/**
 * All that a log record may hold: ids, counts, codes, states. Never a name, an address, a key, a token or a payload. A field
 * that is not in this list does not get past the types, nor past `allowed`.
 */
const FIELDS = [
  'requestId',
  'actorId',
  'eventId',
  'category',
  'action',
  'window',
  'error',
  'code',
  'cause',
  'at',
  'text',
  'digest',
  'providerRequestId',
  'handler',
  'route',
  'method',
  'signal',
  'waitedMs',
  'inFlight',
  'type',
  'kind',
  'name',
  'source',
  'outcome',
  'failure',
  'attempt',
  'decision',
  'reason',
  'paymentId',
  'orderId',
  'intentId',
  'refundRequestId',
  'runId',
  'mode',
  'repair',
  'unresolved',
  'count',
  'hash',
  'verdict',
  'published',
] as const

export type LogFields = Partial<Record<(typeof FIELDS)[number], string | number | boolean | null | undefined>>

/** An id, a code, a state, a route of ours. What somebody typed has a blank or an @ in it sooner or later. */
const PLAIN = /^[\w.:/[\]()-]{1,120}$/
/** Places in our code, and words of Next's own: made by errorFields() and ownWords(), longer than an id. */
const PROSE: ReadonlySet<string> = new Set(['at', 'text'])
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const MAX_PROSE = 1_200

/**
 * The second net, for what should never have come this far: keys, tokens, mail addresses, account and card numbers.
 * Lengths are generous: a false alarm costs a word in a log.
 */
const SECRETS = [
  /\b(?:sk|rk|pk)_(?:test|live)_\w+/gi,
  /\b(?:whsec|sb_secret|sb_publishable|pi_\w+_secret|seti_\w+_secret)_\w+/gi,
  /\beyJ[\w-]{5,}(?:\.[\w-]*){0,2}/g,
  /\b(?:bearer|basic)\s+\S+/gi,
  /[^\s@:/(]+@[^\s@:/)]+\.[a-z]{2,}/gi,
  /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b/g,
]
const DIGITS = /\b\d(?:[ -]?\d){12,18}\b/g

/** The fields that may be logged, each in a form that holds nothing else. */
export function allowed(fields: LogFields): LogFields {
  const kept: LogFields = {}
  for (const name of FIELDS) {
    const value = fields[name]
    if (value === undefined || value === null) continue
    kept[name] = typeof value === 'string' ? allowedText(name, value) : value
  }
  return kept
}

function allowedText(name: string, value: string): string {
  // Ours, and not to be taken for a card number: one in some ten thousand looks like one.
  if (UUID.test(value)) return value
  if (PROSE.has(name)) return withoutSecrets(value.slice(0, MAX_PROSE))
  return PLAIN.test(value) && withoutSecrets(value) === value ? value : '[withheld]'
}

export function withoutSecrets(text: string): string {
  const named = SECRETS.reduce((rest, secret) => rest.replace(secret, '[withheld]'), text)
  return named.replace(DIGITS, (digits) => (isCardNumber(digits) ? '[withheld]' : digits))
}

/** Luhn's check, which every card number passes and one in ten other numbers. */
export function isCardNumber(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].map(Number).reverse()
  const sum = digits.reduce((total, digit, place) => {
    const counted = place % 2 === 0 ? digit : digit * 2
    return total + (counted > 9 ? counted - 9 : counted)
  }, 0)
  return digits.length >= 13 && digits.length <= 19 && sum % 10 === 0
}

/**
 * What of an unexpected error may be logged: its class, its code and the places in our code it came through. Messages
 * are left out, since libraries put values into them.
 */
export function errorFields(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: typeof error }
  const code =
    'code' in error && (typeof error.code === 'string' || typeof error.code === 'number')
      ? error.code
      : undefined
  const cause = error.cause instanceof Error ? error.cause.name : undefined
  return { error: error.name, code, cause, at: frames(error), providerRequestId: stripesId(error) }
}

/** A message may have lines of its own, and those may look like places. */
function frames(error: Error): string {
  return (error.stack ?? '')
    .replace(error.message, '')
    .split('\n')
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
    .slice(0, 6)
    .map((line) => line.trim())
    .join(' | ')
}

/** The number under which Stripe's own log has the call. */
function stripesId(error: Error): string | undefined {
  return 'requestId' in error && typeof error.requestId === 'string' ? error.requestId : undefined
}
