import { listObjects } from './list.ts'
import { idOf } from './resources.ts'
import type { Store } from './store.ts'

type Fields = Record<string, unknown>

/** Parts of an object that are in an answer only when they are asked for by `expand`. Undefined when there is no such part. */
export function includedIn(store: Store, object: Fields, name: string): unknown {
  const id = String(object.id)
  if (object.object === 'charge' && name === 'refunds') return refundsOf(store, id)
  if (object.object === 'invoice' && name === 'payments') return paymentsOf(store, id)
  if (object.object === 'invoice' && name === 'confirmation_secret') return confirmationSecret(store, id)
  if (object.object === 'checkout.session' && name === 'line_items') return lineItemsOf(store, id)
  return undefined
}

/** The latest ten, as everywhere. */
function refundsOf(store: Store, charge: string) {
  const ofCharge = { sql: "data ->> '$.charge' = ?", values: [charge] }
  return listObjects(store, 'refund', `/v1/charges/${charge}/refunds`, {}, [ofCharge])
}

function paymentsOf(store: Store, invoice: string) {
  const found = store.select('invoice_payment', [{ sql: "data ->> '$.invoice' = ?", values: [invoice] }])
  return {
    object: 'list',
    data: found.map(({ object }) => object),
    has_more: false,
    url: `/v1/invoice_payments?invoice=${invoice}`,
  }
}

/** What the browser needs to pay an invoice that is open. */
function confirmationSecret(store: Store, invoice: string) {
  const [payment] = store.select('invoice_payment', [{ sql: "data ->> '$.invoice' = ?", values: [invoice] }])
  const intent = store.find('payment_intent', idOf(payment?.object.payment.payment_intent) ?? '')
  const secret = intent?.object.client_secret
  return secret ? { client_secret: secret, type: 'payment_intent' } : null
}

function lineItemsOf(store: Store, session: string) {
  return {
    object: 'list',
    data: store.find('checkout.session', session)?.hidden.lineItems ?? [],
    has_more: false,
    url: `/v1/checkout/sessions/${session}/line_items`,
  }
}
