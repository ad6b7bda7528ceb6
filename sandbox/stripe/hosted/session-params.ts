import { linePriceData } from '../billing/prices.ts'
import { metadata } from '../core/metadata.ts'
import { boolean, fields, integer, list, oneOf, required, text, unsupported, word } from '../http/params.ts'

const lineItem = fields({
  price: word(),
  price_data: linePriceData,
  quantity: integer({ min: 1, max: 999_999 }),
  metadata: metadata(),
  ...unsupported('adjustable_quantity', 'tax_rates'),
})

const paymentIntentData = fields({
  capture_method: oneOf('automatic', 'automatic_async', 'manual'),
  description: text({ max: 1000 }),
  metadata: metadata(),
  receipt_email: text({ max: 800 }),
  setup_future_usage: oneOf('off_session', 'on_session'),
  statement_descriptor: text({ max: 22 }),
  statement_descriptor_suffix: text({ max: 22 }),
  transfer_group: text(),
  ...unsupported('application_fee_amount', 'on_behalf_of', 'shipping', 'transfer_data'),
})

const subscriptionData = fields({
  description: text({ max: 500 }),
  metadata: metadata(),
  trial_end: integer(),
  trial_period_days: integer({ min: 1, max: 730 }),
  trial_settings: fields({
    end_behavior: fields({ missing_payment_method: oneOf('cancel', 'create_invoice', 'pause') }),
  }),
  ...unsupported(
    'application_fee_percent',
    'billing_cycle_anchor',
    'billing_mode',
    'default_tax_rates',
    'invoice_settings',
    'on_behalf_of',
    'pending_invoice_item_interval',
    'proration_behavior',
    'transfer_data',
  ),
})

export const createParams = {
  mode: oneOf('payment', 'setup', 'subscription'),
  ui_mode: oneOf('hosted_page', 'elements'),
  line_items: list(lineItem, { max: 100 }),
  success_url: word(),
  cancel_url: word(),
  return_url: word(),
  client_reference_id: text({ max: 200 }),
  currency: word(),
  customer: word(),
  customer_creation: oneOf('always', 'if_required'),
  customer_email: text({ max: 800 }),
  metadata: metadata(),
  discounts: list(fields({ coupon: word(), promotion_code: word() }), { max: 1 }),
  allow_promotion_codes: boolean(),
  expires_at: integer(),
  payment_intent_data: paymentIntentData,
  setup_intent_data: fields({
    description: text({ max: 1000 }),
    metadata: metadata(),
    ...unsupported('on_behalf_of'),
  }),
  subscription_data: subscriptionData,
  payment_method_collection: oneOf('always', 'if_required'),
  allowed_payment_method_types: list(word()),
  excluded_payment_method_types: list(word()),
  billing_address_collection: oneOf('auto'),
  submit_type: oneOf('auto', 'book', 'donate', 'pay', 'subscribe'),
  locale: oneOf('auto', 'en'),
  origin_context: oneOf('mobile_app', 'web'),
  automatic_tax: fields({ enabled: required(oneOf('false')), ...unsupported('liability') }),
  phone_number_collection: fields({ enabled: required(oneOf('false')) }),
  tax_id_collection: fields({ enabled: required(oneOf('false')), ...unsupported('required') }),
}

export const updateParams = {
  metadata: metadata(),
  ...unsupported('collected_information', 'line_items', 'payment_intent_data', 'shipping_options'),
}
