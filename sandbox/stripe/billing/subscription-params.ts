import { metadata } from '../core/metadata.ts'
import { boolean, clearable, fields, integer, list, oneOf, text, unsupported, word } from '../http/params.ts'
import { discountsParam } from './discounts.ts'
import { recurringPriceData } from './prices.ts'

const FEEDBACK = [
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
] as const

export const cancellationDetails = fields({
  comment: text(),
  feedback: clearable(oneOf(...FEEDBACK)),
  ...unsupported('feedback_option'),
})

const ofEveryItem = {
  metadata: metadata(),
  price: word(),
  price_data: recurringPriceData,
  quantity: integer({ min: 1 }),
  ...unsupported('billing_thresholds', 'discounts', 'plan', 'tax_rates'),
}

export const newItems = list(fields({ ...ofEveryItem, ...unsupported('current_trial') }), { max: 20 })

export const changedItems = list(
  fields({ ...ofEveryItem, id: word(), deleted: boolean(), ...unsupported('clear_usage', 'current_trial') }),
  { max: 20 },
)

const prorationBehavior = oneOf('always_invoice', 'create_prorations', 'none')

const trialSettings = fields({
  end_behavior: fields({
    missing_payment_method: oneOf('cancel', 'create_invoice', 'pause'),
    ...unsupported('billing_cycle_anchor'),
  }),
})

const paymentBehavior = oneOf('allow_incomplete', 'default_incomplete', 'error_if_incomplete')

const ofBoth = {
  automatic_tax: fields({ enabled: oneOf('false'), ...unsupported('liability') }),
  cancel_at_period_end: boolean(),
  collection_method: oneOf('charge_automatically'),
  description: text({ max: 500 }),
  metadata: metadata(),
  off_session: boolean(),
  payment_behavior: paymentBehavior,
  payment_settings: fields({
    save_default_payment_method: oneOf('off', 'on_subscription'),
    ...unsupported('payment_method_options', 'payment_method_types'),
  }),
  proration_behavior: prorationBehavior,
  trial_end: integerOrNow(),
  trial_settings: trialSettings,
  discounts: discountsParam,
  ...unsupported(
    'add_invoice_items',
    'application_fee_percent',
    'billing_thresholds',
    'days_until_due',
    'default_source',
    'default_tax_rates',
    'invoice_settings',
    'on_behalf_of',
    'pending_invoice_item_interval',
    'transfer_data',
    'trial_from_plan',
  ),
}

export const createParams = {
  ...ofBoth,
  cancel_at: integer(),
  currency: word(),
  customer: word(),
  default_payment_method: word(),
  items: newItems,
  trial_period_days: integer({ min: 0, max: 730 }),
  billing_mode: fields({ type: oneOf('flexible'), ...unsupported('flexible') }),
  ...unsupported(
    'backdate_start_date',
    'billing_cycle_anchor',
    'billing_cycle_anchor_config',
    'billing_schedules',
    'customer_account',
  ),
}

export const updateParams = {
  ...ofBoth,
  billing_cycle_anchor: oneOf('now', 'unchanged'),
  cancel_at: clearable(integer()),
  cancellation_details: cancellationDetails,
  default_payment_method: text(),
  items: changedItems,
  proration_date: integer(),
  ...unsupported('billing_schedules', 'pause_collection'),
}

export const cancelParams = {
  cancellation_details: cancellationDetails,
  ...unsupported('invoice_now', 'prorate'),
}

export const itemParams = {
  metadata: metadata(),
  off_session: boolean(),
  payment_behavior: paymentBehavior,
  price: word(),
  price_data: recurringPriceData,
  proration_behavior: prorationBehavior,
  proration_date: integer(),
  quantity: integer({ min: 1 }),
  ...unsupported('billing_thresholds', 'current_trial', 'discounts', 'plan', 'tax_rates'),
}

export const { off_session: _, ...itemCreateParams } = itemParams

/** `subscription_details` of a preview. */
export const previewDetails = fields({
  billing_cycle_anchor: oneOf('now', 'unchanged'),
  cancel_now: oneOf('false'),
  items: changedItems,
  proration_behavior: prorationBehavior,
  proration_date: integer(),
  trial_end: integerOrNow(),
  ...unsupported(
    'billing_mode',
    'billing_schedules',
    'cancel_at',
    'cancel_at_period_end',
    'default_tax_rates',
    'resume_at',
    'start_date',
  ),
})

/** A time in unix seconds, or `now`. */
function integerOrNow() {
  const number = integer({ min: 1 })
  return {
    read: (value: Parameters<typeof number.read>[0], name: string): number | 'now' | undefined =>
      value === 'now' ? 'now' : number.read(value, name),
  }
}
