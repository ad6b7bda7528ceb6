import type Stripe from 'stripe'
import { newId } from '../core/ids.ts'
import { listObjects, listParams } from '../core/list.ts'
import { idOf } from '../core/resources.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import { word } from '../http/params.ts'

export const FRAUD_TYPES = [
  'card_never_received',
  'fraudulent_card_application',
  'made_with_counterfeit_card',
  'made_with_lost_card',
  'made_with_stolen_card',
  'misc',
  'unauthorized_use_of_card',
] as const

/** The bank suspects fraud before anybody disputes anything (stripe.C26). */
export function warnOfFraud(
  call: Call,
  charge: Stripe.Charge,
  fraudType: (typeof FRAUD_TYPES)[number],
): Stripe.Radar.EarlyFraudWarning {
  const intent = idOf(charge.payment_intent)
  const warning: Stripe.Radar.EarlyFraudWarning = {
    id: newId('early_fraud_warning'),
    object: 'radar.early_fraud_warning',
    actionable: isActionable(charge),
    charge: charge.id,
    created: call.store.clock.now(),
    fraud_type: fraudType,
    livemode: false,
    ...(intent ? { payment_intent: intent } : {}),
  }
  call.store.insert('radar.early_fraud_warning', warning, {})
  recordEvent(call, 'radar.early_fraud_warning.created', warning)
  return warning
}

/** Once the money went back there is nothing left to act on. Called when a charge was refunded or disputed. */
export function updateWarnings(call: Call, charge: Stripe.Charge): void {
  if (isActionable(charge)) return
  const open = call.store.select('radar.early_fraud_warning', [
    { sql: "data ->> '$.charge' = ? and data ->> '$.actionable' = 1", values: [charge.id] },
  ])
  for (const { object } of open) {
    const settled = call.store.save('radar.early_fraud_warning', { ...object, actionable: false })
    recordEvent(call, 'radar.early_fraud_warning.updated', settled, { actionable: true })
  }
}

export const earlyFraudWarningOperations = [
  operation({
    method: 'GET',
    path: '/v1/radar/early_fraud_warnings/:id',
    params: {},
    handle({ store }, _params, { id }) {
      const found = store.find('radar.early_fraud_warning', id)
      if (!found) throw noSuch('early fraud warning', id, 'early_fraud_warning', 404)
      return found.object
    },
  }),
  operation({
    method: 'GET',
    path: '/v1/radar/early_fraud_warnings',
    params: { ...listParams, charge: word(), payment_intent: word() },
    handle({ store }, { charge, payment_intent, ...page }) {
      const conditions = Object.entries({ charge, payment_intent }).flatMap(([name, value]) =>
        value ? [{ sql: `data ->> '$.${name}' = ?`, values: [value] }] : [],
      )
      const url = '/v1/radar/early_fraud_warnings'
      return listObjects(store, 'radar.early_fraud_warning', url, page, conditions)
    },
  }),
]

function isActionable({ disputed, refunded }: Stripe.Charge): boolean {
  return !disputed && !refunded
}
