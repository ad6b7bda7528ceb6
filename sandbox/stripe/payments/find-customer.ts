import type Stripe from 'stripe'
import type { Store } from '../core/store.ts'
import { noSuch } from '../http/errors.ts'

/** The customer named in a parameter. @throws StripeError 400 when there is none, or it was deleted. */
export function referencedCustomer(store: Store, id: string): Stripe.Customer {
  const found = store.find('customer', id)
  if (!found || found.deleted) throw noSuch('customer', id, 'customer', 400)
  return found.object
}

/** The customer of the address. */
export function getCustomer(store: Store, id: string): Stripe.Customer {
  const found = store.find('customer', id)
  if (!found || found.deleted) throw noSuch('customer', id, 'id', 404)
  return found.object
}
