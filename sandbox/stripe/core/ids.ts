import { randomInt } from 'node:crypto'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

export function randomText(length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += ALPHABET[randomInt(ALPHABET.length)]
  return text
}

/** Stripe's shapes (stripe.L5): payments objects begin with 3, most others with 1, customers with neither. */
const SHAPES = {
  customer: () => `cus_${randomText(14)}`,
  payment_method: () => `pm_1${randomText(23)}`,
  payment_intent: () => `pi_3${randomText(23)}`,
  setup_intent: () => `seti_1${randomText(23)}`,
  setup_attempt: () => `setatt_1${randomText(23)}`,
  confirmation_token: () => `ctoken_1${randomText(23)}`,
  customer_session: () => `cuss_1${randomText(23)}`,
  charge: () => `ch_3${randomText(23)}`,
  refund: () => `re_3${randomText(23)}`,
  dispute: () => `du_1${randomText(23)}`,
  early_fraud_warning: () => `issfr_1${randomText(23)}`,
  balance_transaction: () => `txn_3${randomText(23)}`,
  webhook_endpoint: () => `we_1${randomText(23)}`,
  product: () => `prod_${randomText(14)}`,
  price: () => `price_1${randomText(23)}`,
  coupon: () => randomText(8),
  promotion_code: () => `promo_1${randomText(23)}`,
  discount: () => `di_1${randomText(23)}`,
  subscription: () => `sub_1${randomText(23)}`,
  subscription_item: () => `si_${randomText(14)}`,
  invoice: () => `in_1${randomText(23)}`,
  invoice_item: () => `ii_1${randomText(23)}`,
  invoice_line: () => `il_1${randomText(23)}`,
  invoice_payment: () => `inpay_1${randomText(23)}`,
  test_clock: () => `clock_1${randomText(23)}`,
  checkout_session: () => `cs_test_${randomText(58)}`,
  checkout_item: () => `li_1${randomText(23)}`,
  portal_configuration: () => `bpc_1${randomText(23)}`,
  portal_session: () => `bps_1${randomText(23)}`,
  request: () => `req_${randomText(14)}`,
}

export function newId(kind: keyof typeof SHAPES): string {
  return SHAPES[kind]()
}

export function newEventId(type: string): string {
  const ofPayment = /^(payment_intent|charge|refund)\./.test(type)
  return `evt_${ofPayment ? '3' : '1'}${randomText(23)}`
}

export function newClientSecret(id: string): string {
  return `${id}_secret_${randomText(25)}`
}

export function newSigningSecret(): string {
  return `whsec_${randomText(32)}`
}
