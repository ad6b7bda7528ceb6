import { html } from 'hono/html'
import { formatAmount } from '../../core/currencies.ts'
import type { Store } from '../../core/store.ts'
import type { Html } from './layout.ts'

type Plain = Record<string, unknown>
type Tone = 'good' | 'warn' | 'bad' | 'calm'

const DAY = 86_400

/** What a state means, by kind and state. */
const MEANINGS: Record<string, string> = {
  'payment_intent requires_payment_method': 'Waits for a card. The last one, if there was one, was declined.',
  'payment_intent requires_confirmation': 'Has a card and waits to be confirmed.',
  'payment_intent requires_action': 'The customer has to confirm it with their bank.',
  'payment_intent requires_capture': 'Authorized, and waits to be captured.',
  'payment_intent processing': 'The bank has not answered yet.',
  'payment_intent succeeded': 'Paid.',
  'payment_intent canceled': 'Given up. It can no longer be paid.',
  'charge succeeded': 'The bank said yes.',
  'charge failed': 'The bank said no.',
  'refund pending': 'The bank has not taken it yet.',
  'refund succeeded': 'The money is on its way back to the customer.',
  'refund failed': 'The bank sent it back to the balance.',
  'dispute needs_response': 'The money is gone for now. The shop can send evidence.',
  'dispute under_review': 'The bank reads the evidence.',
  'dispute won': 'The money came back.',
  'dispute lost': 'The money stays with the customer.',
  'dispute warning_needs_response': 'An inquiry: the bank only asks, no money moved.',
  'dispute warning_under_review': 'The bank reads the answer to its inquiry.',
  'dispute warning_closed': 'The inquiry ended without a dispute.',
  'delivery pending': 'Waits for its first or its next attempt.',
  'delivery delivered': 'The endpoint answered with a 2xx.',
  'delivery failed': 'Given up after its last attempt.',
  'delivery dropped': 'The endpoint is gone or switched off.',
}

const TONES: Record<Exclude<Tone, 'calm'>, string> = {
  good: 'succeeded won delivered paid active complete enabled available',
  warn: 'requires_action requires_capture processing pending needs_response under_review warning_needs_response warning_under_review past_due trialing open incomplete paused disputed',
  bad: 'failed lost dropped uncollectible unpaid incomplete_expired expired',
}

export function kindName(kind: string): string {
  const known: Record<string, string> = {
    'radar.early_fraud_warning': 'early fraud warning',
    'test_helpers.test_clock': 'test clock',
    setup_attempt: 'setup attempt',
  }
  return known[kind] ?? kind.replaceAll(/[._]/g, ' ')
}

/** A dot, a word, and what it means. */
export function status(kind: string, state: string): Html {
  const meaning = MEANINGS[`${kind} ${state}`]
  return html`<span class="status ${toneOf(state)}"${meaning ? html` title="${meaning}"` : ''}>${state.replaceAll('_', ' ')}</span>`
}

export function meaningOf(kind: string, state: string): string | null {
  return MEANINGS[`${kind} ${state}`] ?? null
}

/** What an object calls its state; empty when it has none. */
export function stateOf(object: Plain): string {
  return typeof object.status === 'string' ? object.status : ''
}

/** An object's main sum, as money. Empty when it has none. */
export function sumOf(object: Plain): string {
  const amount = [object.amount, object.amount_total, object.total, object.unit_amount].find(
    (value) => typeof value === 'number',
  )
  const { currency } = object
  if (typeof amount !== 'number' || typeof currency !== 'string') return ''
  const sum = formatAmount(amount, currency)
  const code = currency.toUpperCase()
  // Where there is no sign for a currency, its code is in the sum already.
  return sum.includes(code) ? sum : `${sum} ${code}`
}

/** Unix milliseconds. The page's script puts it into the reader's zone. */
export function moment(ms: number): Html {
  const iso = new Date(ms).toISOString()
  const text = `${iso.slice(0, 19).replace('T', ' ')} UTC`
  return html`<time datetime="${iso}" title="${text}">${text}</time>`
}

/** The beginning and the end: enough to tell one from another. */
export function shortened(id: string): string {
  return id.length > 20 ? `${id.slice(0, 10)}…${id.slice(-6)}` : id
}

export function idLink(id: string, address = `/admin/objects/${encodeURIComponent(id)}`): Html {
  return html`<a class="id" href="${address}" title="${id}">${shortened(id)}</a>`
}

export function duration(seconds: number): string {
  const parts = [
    [Math.floor(seconds / DAY), 'day'],
    [Math.floor((seconds % DAY) / 3600), 'hour'],
    [Math.floor((seconds % 3600) / 60), 'minute'],
  ] as const
  const said = parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
  return said.join(' ') || 'less than a minute'
}

/** Of this Stripe's clock before the machine's, to the minute: while it is moved on some milliseconds go by. */
export function secondsAhead({ clock }: Store): number {
  return Math.round(clock.offsetMs / 60_000) * 60
}

function toneOf(state: string): Tone {
  for (const tone of ['good', 'warn', 'bad'] as const) {
    if (TONES[tone].split(' ').includes(state)) return tone
  }
  return 'calm'
}
