import type Stripe from 'stripe'
import { testCard } from '../cards/test-cards.ts'
import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall } from '../http/call.ts'
import { book } from './ledger.ts'

/** The money of a charge arrives on the balance some seconds after the payment (stripe.P17). Runs as a job. */
export function settleCharge(store: Store, chargeId: string): void {
  const found = store.find('charge', chargeId)
  if (found) settled(store, found.object)
}

/** The charge with its money on the balance, now if it was still on its way: it has to be there before any of it can leave. */
export function settled(store: Store, charge: Stripe.Charge): Stripe.Charge {
  if (charge.balance_transaction !== null) return charge
  const booked = bookCharge(store, charge)
  recordEvent(automaticCall(store), 'charge.updated', booked, { balance_transaction: null })
  return booked
}

/** Write the balance transaction of a captured charge, and its id into the charge. */
export function bookCharge(store: Store, charge: Stripe.Charge): Stripe.Charge {
  const transaction = book(store, {
    type: 'charge',
    reportingCategory: 'charge',
    source: charge.id,
    description: charge.description,
    amountMinor: charge.amount_captured,
    currency: charge.currency,
    fee: 'payment',
    availableAtOnce: aftermathOf(store, charge) === 'availableAtOnce',
  })
  return store.save('charge', { ...charge, balance_transaction: transaction.id })
}

/** What the card that paid brings about later on. */
export function aftermathOf(store: Store, charge: Stripe.Charge) {
  const method = store.find('payment_method', idOf(charge.payment_method) ?? '')
  return method ? testCard(method.hidden.card).aftermath : null
}
