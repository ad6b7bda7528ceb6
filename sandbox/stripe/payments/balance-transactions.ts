import type Stripe from 'stripe'
import { accountCurrency } from '../core/account.ts'
import { listObjects, listParams } from '../core/list.ts'
import type { Store } from '../core/store.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { unsupported, word } from '../http/params.ts'

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
  operation({
    method: 'GET',
    path: '/v1/balance',
    params: {},
    handle: ({ store }): Stripe.Balance => ({
      object: 'balance',
      available: sums(store, 'available'),
      livemode: false,
      pending: sums(store, 'pending'),
    }),
  }),
]

/** What all balance transactions of a state come to, for each currency that was ever on the balance. */
function sums(store: Store, status: 'available' | 'pending'): Stripe.Balance.Available[] {
  const rows = store.db
    .prepare(
      `select data ->> '$.currency' as currency,
         sum(case when data ->> '$.status' = ? then data ->> '$.net' else 0 end) as amount
       from objects where kind = 'balance_transaction' group by 1 order by 1`,
    )
    .all(status)
    .map((row) => ({ amount: Number(row.amount), currency: String(row.currency) }))
  const found = rows.length > 0 ? rows : [{ amount: 0, currency: accountCurrency(store) ?? 'usd' }]
  return found.map(({ amount, currency }) => ({ amount, currency, source_types: { card: amount } }))
}
