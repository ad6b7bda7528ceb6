import type Stripe from 'stripe'
import type { Aftermath } from '../cards/test-cards.ts'
import { scheduleJob } from '../core/jobs.ts'
import type { Store } from '../core/store.ts'
import { automaticCall } from '../http/call.ts'
import { aftermathOf } from '../payments/settle-charge.ts'
import { raiseDispute } from './dispute.ts'
import { warnOfFraud } from './early-fraud-warnings.ts'

const RAISED_BY: Aftermath[] = [
  'dispute',
  'disputeProductNotReceived',
  'inquiry',
  'fraudWarning',
  'manyDisputes',
]

/** Some test cards regret their payment (stripe.C23-C26). Part of the transaction that captures it. */
export function scheduleAftermath(store: Store, charge: Stripe.Charge): void {
  const aftermath = aftermathOf(store, charge)
  if (aftermath && RAISED_BY.includes(aftermath)) {
    scheduleJob(store, 'raise_aftermath', charge.id, store.config.aftermathDelayMs)
  }
}

/** Runs as a job. */
export function raiseAftermath(store: Store, chargeId: string): void {
  const charge = store.find('charge', chargeId)?.object
  if (!charge) return
  const call = automaticCall(store)
  const whole = { amountMinor: charge.amount_captured, reason: 'fraudulent' as const }
  switch (aftermathOf(store, charge)) {
    case 'dispute':
      raiseDispute(call, charge, whole)
      return
    case 'disputeProductNotReceived':
      raiseDispute(call, charge, { ...whole, reason: 'product_not_received' })
      return
    case 'inquiry':
      raiseDispute(call, charge, { ...whole, inquiry: true })
      return
    case 'fraudWarning':
      warnOfFraud(call, charge, 'made_with_stolen_card')
      return
    case 'manyDisputes': {
      const half = Math.ceil(charge.amount_captured / 2)
      raiseDispute(call, charge, { amountMinor: half, reason: 'fraudulent' })
      raiseDispute(call, charge, { amountMinor: charge.amount_captured - half, reason: 'fraudulent' })
    }
  }
}

/** The customer got their money back and went to the bank all the same. Runs as a job. */
export function disputeRefunded(store: Store, chargeId: string): void {
  const charge = store.find('charge', chargeId)?.object
  if (!charge || charge.disputed) return
  const amountMinor = charge.amount_captured
  raiseDispute(automaticCall(store), charge, { amountMinor, reason: 'credit_not_processed' })
}
