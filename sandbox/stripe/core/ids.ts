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
  charge: () => `ch_3${randomText(23)}`,
  refund: () => `re_3${randomText(23)}`,
  dispute: () => `du_1${randomText(23)}`,
  early_fraud_warning: () => `issfr_1${randomText(23)}`,
  balance_transaction: () => `txn_3${randomText(23)}`,
  webhook_endpoint: () => `we_1${randomText(23)}`,
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
