import { shipping } from '../core/address.ts'
import { metadata } from '../core/metadata.ts'
import {
  boolean,
  clearable,
  fields,
  integer,
  list,
  oneOf,
  type Param,
  required,
  text,
  unsupported,
  word,
} from '../http/params.ts'
import { newPaymentMethodParams } from './payment-methods.ts'

/** Stored and given back; nothing acts on them. */
const stored = {
  receipt_email: text({ max: 800 }),
  shipping: clearable(shipping()),
  setup_future_usage: clearable(oneOf('off_session', 'on_session')),
}

const labels = {
  description: text({ max: 1000 }),
  metadata: metadata(),
  statement_descriptor: text({ max: 22 }),
  statement_descriptor_suffix: text({ max: 22 }),
  transfer_group: text(),
}

const card = {
  payment_method: word(),
  payment_method_data: fields(newPaymentMethodParams),
  payment_method_options: fields({
    card: fields({ request_three_d_secure: oneOf('any', 'automatic', 'challenge') }),
  }),
  allowed_payment_method_types: list(word()),
  excluded_payment_method_types: clearable(list(word())),
}

const captureMethod = { capture_method: oneOf('automatic', 'automatic_async', 'manual') }

/** How to confirm. `off_session` may hold fields in the SDK's types; here it is yes or no. */
const confirming = {
  confirmation_token: word(),
  error_on_requires_action: boolean(),
  off_session: boolean(),
  return_url: word(),
  use_stripe_sdk: boolean(),
}

const elsewhere = unsupported(
  'amount_details',
  'customer_account',
  'hooks',
  'mandate',
  'mandate_data',
  'payment_details',
  'payment_method_configuration',
  'radar_options',
  'transfer_data',
)

const { mandate: _1, mandate_data: _2, radar_options: _3, ...elsewhereInUpdate } = elsewhere
const {
  customer_account: _4,
  payment_method_configuration: _5,
  transfer_data: _6,
  ...elsewhereInConfirm
} = elsewhere

/** The amount by itself; what a currency allows is checked where both are known. */
const amount: Param<number | undefined> = integer({ min: 1 })

export const createParams = {
  amount: required(amount),
  currency: required(word()),
  automatic_payment_methods: fields({
    enabled: required(boolean()),
    allow_redirects: oneOf('always', 'never'),
  }),
  confirm: boolean(),
  confirmation_method: oneOf('automatic', 'manual'),
  customer: word(),
  ...stored,
  ...labels,
  ...card,
  ...captureMethod,
  ...confirming,
  ...elsewhere,
  ...unsupported('application_fee_amount', 'on_behalf_of'),
}

export const updateParams = {
  amount,
  currency: word(),
  customer: word(),
  ...stored,
  ...labels,
  ...card,
  ...captureMethod,
  ...elsewhereInUpdate,
  ...unsupported('application_fee_amount'),
}

export const confirmParams = {
  client_secret: word(),
  ...stored,
  ...card,
  ...captureMethod,
  ...confirming,
  ...elsewhereInConfirm,
  ...unsupported('amount_to_confirm'),
}

/** What a browser may not decide about a payment. */
export const SECRET_CONFIRM_PARAMS = ['capture_method', 'error_on_requires_action', 'off_session'] as const

export const cancelParams = {
  cancellation_reason: oneOf('abandoned', 'duplicate', 'fraudulent', 'requested_by_customer'),
}
