import { idOf } from '../core/resources.ts'
import type { Store } from '../core/store.ts'
import { followSessions } from '../hosted/pay-session.ts'
import { followPortal } from '../hosted/portal.ts'
import { portalConfigurationOperations } from '../hosted/portal-configurations.ts'
import { portalSessionOperations } from '../hosted/portal-sessions.ts'
import { checkoutOperations } from '../hosted/sessions.ts'
import { followPayments } from './collect-invoice.ts'
import { couponOperations } from './coupons.ts'
import { invoiceOperations } from './invoice-operations.ts'
import { invoicePaymentOperations } from './invoice-payments.ts'
import { priceOperations } from './prices.ts'
import { productOperations } from './products.ts'
import { promotionCodeOperations } from './promotion-codes.ts'
import { subscriptionItemOperations } from './subscription-items.ts'
import { ENDED, endSubscription } from './subscription-status.ts'
import { subscriptionOperations } from './subscriptions.ts'
import { testClockOperations } from './test-clocks.ts'

export const billingOperations = [
  ...productOperations,
  ...priceOperations,
  ...couponOperations,
  ...promotionCodeOperations,
  ...subscriptionOperations,
  ...subscriptionItemOperations,
  ...invoiceOperations,
  ...invoicePaymentOperations,
  ...testClockOperations,
  ...checkoutOperations,
  ...portalConfigurationOperations,
  ...portalSessionOperations,
]

/** What billing does because something else happened. */
export function connectBilling(store: Store): void {
  followPayments(store)
  followSessions(store)
  followPortal(store)

  /** Whoever is gone has no subscriptions. */
  store.onEvent('customer.deleted', (call, customer) => {
    for (const { object } of store.select('subscription', [{ sql: 'customer = ?', values: [customer] }])) {
      if (!ENDED.includes(object.status)) endSubscription(call, object, 'cancellation_requested')
    }
  })

  /** A card that was taken away is not charged any more. */
  store.onEvent('payment_method.detached', (_call, card) => {
    const charged = "data ->> '$.default_payment_method' = ?"
    for (const { object } of store.select('subscription', [{ sql: charged, values: [card] }])) {
      store.save('subscription', { ...object, default_payment_method: null })
    }
    const byDefault = "data ->> '$.invoice_settings.default_payment_method' = ?"
    for (const { object } of store.select('customer', [{ sql: byDefault, values: [card] }])) {
      if (idOf(object.invoice_settings.default_payment_method) !== card) continue
      store.save('customer', {
        ...object,
        invoice_settings: { ...object.invoice_settings, default_payment_method: null },
      })
    }
  })
}
