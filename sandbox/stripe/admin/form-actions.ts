import { setTimeout as sleep } from 'node:timers/promises'
import type { StripeContext } from '../context.ts'
import { findCurrency } from '../core/currencies.ts'
import type { Store } from '../core/store.ts'
import { noSuch } from '../http/errors.ts'
import { advanceClock } from './account.ts'
import { refused } from './body.ts'
import { countEvents } from './browse.ts'
import { deliveriesOf, resendEvent } from './deliveries.ts'
import { duration } from './pages/words.ts'
import { findCharge, PAYMENT_ACTIONS } from './payment-actions.ts'

type Fields = Record<string, string>

/** What a form of the page does. `goTo` is the page that shows it. */
export type FormAction = {
  path: string
  run(context: StripeContext, id: string, fields: Fields): Done | Promise<Done>
  /** The page to be back on when it did not work. */
  backTo(id: string): string
}

type Done = { told: string; goTo: string }

const UNIT_SECONDS: Record<string, number> = { minutes: 60, hours: 3600, days: 86_400 }

/** A first attempt usually takes no longer, and then the page that follows can show its answer. */
const FIRST_ATTEMPT_MS = 1_500
const LOOK_AGAIN_MS = 20

export const FORM_ACTIONS: readonly FormAction[] = [
  ...PAYMENT_ACTIONS.map(
    ({ path, told, run }): FormAction => ({
      path,
      backTo: objectAddress,
      run({ store }, id, fields) {
        const changed = run(store, id, bodyOf(fields, findCharge(store, id)?.currency))
        return { told, goTo: objectAddress(changed.id) }
      },
    }),
  ),
  {
    path: '/events/:id/resend',
    backTo: eventAddress,
    async run({ store }, id) {
      const endpoints = resendEvent(store, id)
      if (endpoints === null) throw noSuch('event', id, 'id', 404)
      if (endpoints === 0)
        throw refused('No webhook endpoint wants this event, so there is nowhere to send it.')
      await firstAttempts(store, id)
      return { told: 'The event was sent again.', goTo: eventAddress(id) }
    },
  },
  {
    path: '/clock',
    backTo: () => '/admin/clock',
    run(context, _id, fields) {
      const { store } = context
      const seconds = fields.seconds ? Number(fields.seconds) : secondsOf(fields)
      if (!Number.isFinite(seconds) || seconds <= 0) throw refused('Say how far the clock should go.')
      const before = countEvents(store)
      advanceClock(context, seconds)
      const came = countEvents(store) - before
      const events =
        came === 0 ? 'Nothing fell due.' : `${came} ${came === 1 ? 'event' : 'events'} came of it.`
      return { told: `The clock went on by ${duration(seconds)}. ${events}`, goTo: '/admin/clock' }
    },
  },
  {
    path: '/chaos',
    backTo: () => '/admin/chaos',
    run({ store }, _id, { profile, seed }) {
      const wanted = { ...(profile ? { profile } : {}), ...(seed ? { seed: seed.slice(0, 100) } : {}) }
      store.transaction(() => store.chaos.configure(wanted))
      const told = profile ? `Chaos is on: ${profile}, seed ${store.chaos.state().seed}.` : 'Chaos is off.'
      return { told, goTo: '/admin/chaos' }
    },
  },
]

function objectAddress(id: string): string {
  return `/admin/objects/${encodeURIComponent(id)}`
}

function eventAddress(id: string): string {
  return `/admin/events/${encodeURIComponent(id)}`
}

/** A form's fields as the JSON addresses take them: empty is not given, amounts are typed in whole units. */
function bodyOf(fields: Fields, currency: string | undefined): Record<string, unknown> {
  const given = Object.entries(fields).filter(([, value]) => value.trim() !== '')
  return Object.fromEntries(
    given.map(([name, value]) => {
      if (name === 'amount') return [name, toMinor(value.trim(), currency)]
      return [name, value === 'true' ? true : value]
    }),
  )
}

/** `12.5` EUR is 1250. By digits and never by fractions. @throws StripeError for what is no amount in this currency. */
export function toMinor(text: string, currency = 'usd'): number {
  const exponent = findCurrency(currency)?.exponent ?? 2
  const [, whole = '', fraction = ''] = /^(\d{1,9})(?:\.(\d+))?$/.exec(text) ?? []
  if (whole === '' || fraction.length > exponent) {
    const example = exponent === 0 ? '1200' : `12.${'0'.repeat(exponent)}`
    throw refused(`Write the amount in ${currency.toUpperCase()} like this: ${example}`)
  }
  return Number(whole + fraction.padEnd(exponent, '0'))
}

function secondsOf({ count = '', unit = '' }: Fields): number {
  return Number(count) * (UNIT_SECONDS[unit] ?? Number.NaN)
}

async function firstAttempts(store: Store, event: string): Promise<void> {
  const deadline = performance.now() + FIRST_ATTEMPT_MS
  const waiting = () =>
    deliveriesOf(store, event).some(({ state, attempts }) => state === 'pending' && attempts.length === 0)
  while (waiting() && performance.now() < deadline) await sleep(LOOK_AGAIN_MS)
}
