import type { BillingJobKind } from '../core/jobs.ts'
import type { Store } from '../core/store.ts'
import { tellInvoicePayment } from './collect-invoice.ts'
import { expireCheckout } from './expire-checkout.ts'
import { endPeriod, expireIncomplete, finalizeDraft, retryInvoice, tellTrialEnd } from './renew.ts'
import { advanceTestClock } from './test-clocks.ts'

/** What billing does by itself, by the name it is scheduled under. */
export const billingJobs: Record<BillingJobKind, (store: Store, subject: string) => void> = {
  expire_incomplete: expireIncomplete,
  tell_trial_end: tellTrialEnd,
  end_period: endPeriod,
  finalize_invoice: finalizeDraft,
  retry_invoice: retryInvoice,
  tell_invoice_payment: tellInvoicePayment,
  advance_test_clock: advanceTestClock,
  expire_checkout: expireCheckout,
}
