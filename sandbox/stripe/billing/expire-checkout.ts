import type Stripe from 'stripe'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall, type Call } from '../http/call.ts'
import { supersedeChallenges } from '../payments/challenge-store.ts'
import { expireIncomplete } from './renew.ts'

/** Nobody paid in time (stripe.E18). Runs as a job. */
export function expireCheckout(store: Store, id: string): void {
  if (store.find('checkout.session', id)?.object.status === 'open') expireSession(automaticCall(store), id)
}

/** What an earlier try left behind goes with it, so that it cannot be paid any more. */
export function expireSession(call: Call, id: string): Stripe.Checkout.Session {
  const found = call.store.find('checkout.session', id)
  if (!found) throw new Error(`There is no session ${id}`)
  const expired = call.store.save('checkout.session', {
    ...found.object,
    client_secret: null,
    status: 'expired',
    url: null,
  })
  recordEvent(call, 'checkout.session.expired', expired)
  cancelIntent(call, idOf(expired.payment_intent))
  if (found.hidden.begun) expireIncomplete(call.store, found.hidden.begun)
  return expired
}

function cancelIntent(call: Call, id: string | null): void {
  const { store } = call
  const intent = id === null ? null : store.find('payment_intent', id)?.object
  if (!intent || intent.status === 'succeeded' || intent.status === 'canceled') return
  supersedeChallenges(store, intent.id)
  const canceled = store.save('payment_intent', {
    ...intent,
    status: 'canceled',
    canceled_at: store.clock.now(),
    cancellation_reason: 'automatic',
    next_action: null,
  })
  recordEvent(call, 'payment_intent.canceled', canceled)
}
