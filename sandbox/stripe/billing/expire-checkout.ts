import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall, type Call } from '../http/call.ts'

/** Nobody paid in time (stripe.E18). Runs as a job. */
export function expireCheckout(store: Store, id: string): void {
  if (store.find('checkout.session', id)?.object.status === 'open') expireSession(automaticCall(store), id)
}

export function expireSession(call: Call, id: string) {
  const found = call.store.find('checkout.session', id)
  if (!found) throw new Error(`There is no session ${id}`)
  const expired = call.store.save('checkout.session', {
    ...found.object,
    client_secret: null,
    status: 'expired',
    url: null,
  })
  recordEvent(call, 'checkout.session.expired', expired)
  return expired
}
