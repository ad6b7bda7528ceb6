import type { KeyKind } from './authenticate.ts'
import type { ErrorBody } from './errors.ts'

type Fields = Record<string, unknown>

/** What a browser may know of a PaymentIntent (stripe.P18; listed in the SDK's comment on `retrieve`). */
const PUBLIC_INTENT_FIELDS = [
  'id',
  'object',
  'amount',
  'automatic_payment_methods',
  'canceled_at',
  'cancellation_reason',
  'capture_method',
  'client_secret',
  'confirmation_method',
  'created',
  'currency',
  'description',
  'last_payment_error',
  'livemode',
  'next_action',
  'payment_method',
  'payment_method_configuration_details',
  'payment_method_types',
  'processing',
  'receipt_email',
  'setup_future_usage',
  'shipping',
  'source',
  'status',
]

/** The same of a SetupIntent. */
const PUBLIC_SETUP_FIELDS = [
  'id',
  'object',
  'automatic_payment_methods',
  'cancellation_reason',
  'client_secret',
  'created',
  'description',
  'last_setup_error',
  'livemode',
  'next_action',
  'payment_method',
  'payment_method_configuration_details',
  'payment_method_types',
  'status',
  'usage',
]

/** An object as the holder of this kind of key gets it. */
export function present(object: Fields, key: KeyKind): Fields {
  if (key === 'secret') return object
  if (object.object === 'payment_intent') return pick(object, PUBLIC_INTENT_FIELDS)
  if (object.object === 'setup_intent') return pick(object, PUBLIC_SETUP_FIELDS)
  if (object.object === 'payment_method') return { ...object, card: withoutFingerprint(object.card) }
  return object
}

export function presentError(error: ErrorBody, key: KeyKind): Fields {
  const { payment_intent, setup_intent, payment_method, ...rest } = error
  return {
    ...rest,
    ...(payment_intent ? { payment_intent: present({ ...payment_intent }, key) } : {}),
    ...(setup_intent ? { setup_intent: present({ ...setup_intent }, key) } : {}),
    ...(payment_method ? { payment_method: present({ ...payment_method }, key) } : {}),
  }
}

function pick(object: Fields, names: string[]): Fields {
  return Object.fromEntries(names.filter((name) => name in object).map((name) => [name, object[name]]))
}

function withoutFingerprint(card: unknown): unknown {
  if (typeof card !== 'object' || card === null) return card
  const { fingerprint: _, ...rest } = card as Fields
  return rest
}
