import type Stripe from 'stripe'
import { findCurrency } from '../core/currencies.ts'
import { newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall } from '../http/call.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { unsupported, word } from '../http/params.ts'

const FEE_PERCENT = 2.9

/** The fixed part of the fee, as a share of the smallest charge: 30 cents of a dollar payment. */
const FIXED_FEE_SHARE = 0.6
const AVAILABLE_AFTER_SECONDS = 2 * 24 * 60 * 60

/** The money of a charge arrives on the balance some seconds after the payment (stripe.P17). Runs as a job. */
export function settleCharge(store: Store, chargeId: string): void {
  const found = store.find('charge', chargeId)
  if (!found || found.object.balance_transaction !== null) return
  const charge = bookCharge(store, found.object)
  recordEvent(automaticCall(store), 'charge.updated', charge, { balance_transaction: null })
}

/** Write the balance transaction of a charge, and its id into the charge. */
export function bookCharge(store: Store, charge: Stripe.Charge): Stripe.Charge {
  const fee = feeOf(charge.amount, charge.currency)
  const now = store.clock.now()
  const transaction: Stripe.BalanceTransaction = {
    id: newId('balance_transaction'),
    object: 'balance_transaction',
    amount: charge.amount,
    available_on: now + AVAILABLE_AFTER_SECONDS,
    balance_type: 'payments',
    created: now,
    currency: charge.currency,
    description: charge.description,
    exchange_rate: null,
    fee,
    fee_details: [
      {
        amount: fee,
        application: null,
        currency: charge.currency,
        description: 'Stripe processing fees',
        type: 'stripe_fee',
      },
    ],
    net: charge.amount - fee,
    reporting_category: 'charge',
    source: charge.id,
    status: 'pending',
    type: 'charge',
  }
  store.insert('balance_transaction', transaction, {})
  return store.save('charge', { ...charge, balance_transaction: transaction.id })
}

export const balanceTransactionOperations = [
  operation({
    method: 'GET',
    path: '/v1/balance_transactions/:id',
    params: {},
    handle({ store }, _params, { id }) {
      const found = store.find('balance_transaction', id)
      if (!found) throw noSuch('balance transaction', id, 'id', 404)
      return found.object
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/balance_transactions',
    params: { ...listParams, currency: word(), source: word(), type: word(), ...unsupported('payout') },
    handle({ store }, { currency, source, type, ...page }) {
      const conditions = Object.entries({ currency, source, type }).flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      return listObjects(store, 'balance_transaction', '/v1/balance_transactions', page, conditions)
    },
  }),
]

/** At most the amount itself: tiny payments are not paid by the merchant. */
function feeOf(amountMinor: number, currency: string): number {
  const fixed = Math.round((findCurrency(currency)?.minimum ?? 0) * FIXED_FEE_SHARE)
  return Math.min(amountMinor, Math.round((amountMinor * FEE_PERCENT) / 100) + fixed)
}
