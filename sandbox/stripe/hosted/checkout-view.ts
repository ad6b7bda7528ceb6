import { unitAmount } from '../billing/price.ts'
import type { Store } from '../core/store.ts'
import type { CheckoutView } from './pages/checkout-page.ts'
import { intentOfSession, lastError } from './pay-session.ts'
import { getSession } from './sessions.ts'

const SECONDS_PER_DAY = 24 * 60 * 60

/** What the customer sees of a session. @throws StripeError 404 when there is none. */
export function checkoutView(store: Store, id: string): CheckoutView {
  const { object: session, hidden } = getSession(store, id)
  const { trialDays, trialEnd } = hidden.subscription
  const days =
    trialDays ?? (trialEnd === null ? null : Math.ceil((trialEnd - store.clock.now()) / SECONDS_PER_DAY))
  const items = hidden.lineItems
  const onceMinor = items.reduce(
    (sum, { price, quantity, amount_total }) =>
      sum + (price && !price.recurring ? Math.min(amount_total, unitAmount(price) * (quantity ?? 1)) : 0),
    0,
  )
  const dueMinor = days === null ? (session.amount_total ?? 0) : onceMinor
  const optional = session.payment_method_collection === 'if_required' && dueMinor === 0
  const intent = intentOfSession(store, id)
  return {
    session,
    items,
    trialDays: days,
    dueMinor,
    needsCard: session.mode === 'setup' || !optional,
    complaint: intent?.status === 'requires_payment_method' ? lastError(intent) : null,
  }
}
