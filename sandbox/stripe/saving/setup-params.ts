import { metadata } from '../core/metadata.ts'
import { boolean, clearable, fields, list, oneOf, required, text, unsupported, word } from '../http/params.ts'
import { newPaymentMethodParams } from '../payments/payment-methods.ts'

const kept = {
  customer: word(),
  description: text({ max: 1000 }),
  metadata: metadata(),
}

const card = {
  payment_method: word(),
  payment_method_data: fields(newPaymentMethodParams),
  payment_method_options: fields({
    card: fields({ request_three_d_secure: oneOf('any', 'automatic', 'challenge') }),
  }),
}

const types = {
  allowed_payment_method_types: list(word()),
  excluded_payment_method_types: clearable(list(word())),
}

const confirming = {
  confirmation_token: word(),
  return_url: word(),
  use_stripe_sdk: boolean(),
}

const elsewhere = unsupported(
  'attach_to_self',
  'customer_account',
  'flow_directions',
  'payment_method_configuration',
)

export const createSetupParams = {
  automatic_payment_methods: fields({
    enabled: required(boolean()),
    allow_redirects: oneOf('always', 'never'),
  }),
  confirm: boolean(),
  usage: oneOf('off_session', 'on_session'),
  ...kept,
  ...card,
  ...types,
  ...confirming,
  ...elsewhere,
  ...unsupported('mandate_data', 'on_behalf_of', 'single_use'),
}

export const updateSetupParams = { ...kept, ...card, ...types, ...elsewhere }

export const confirmSetupParams = {
  client_secret: word(),
  ...card,
  allowed_payment_method_types: list(word()),
  ...confirming,
  ...unsupported('mandate_data'),
}

export const cancelSetupParams = {
  cancellation_reason: oneOf('abandoned', 'duplicate', 'requested_by_customer'),
}
