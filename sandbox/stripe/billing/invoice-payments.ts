import { listObjects, listParams } from '../core/list.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { fields, oneOf, required, unsupported, word } from '../http/params.ts'

export const invoicePaymentOperations = [
  operation({
    method: 'GET',
    path: '/v1/invoice_payments/:id',
    params: {},
    handle({ store }, _params, { id }) {
      const found = store.find('invoice_payment', id)
      if (!found) throw noSuch('invoice payment', id, 'invoice_payment', 404)
      return found.object
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/invoice_payments',
    params: {
      ...listParams,
      invoice: word(),
      payment: fields({
        type: required(oneOf('payment_intent')),
        payment_intent: word(),
        ...unsupported('payment_record'),
      }),
      status: oneOf('canceled', 'open', 'paid'),
    },
    handle({ store }, { invoice, payment, status, ...page }) {
      const equal = Object.entries({ invoice, status, 'payment.payment_intent': payment?.payment_intent })
      const conditions = equal.flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      return listObjects(store, 'invoice_payment', '/v1/invoice_payments', page, conditions)
    },
  }),
]
