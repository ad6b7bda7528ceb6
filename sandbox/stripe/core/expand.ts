import { invalidParameter } from '../http/errors.ts'
import { includedIn } from './included.ts'
import type { Kind } from './resources.ts'
import type { Store } from './store.ts'

/** Fields that hold an id and can hold the object instead. `any`: the id tells. Null: nothing can be behind it here, asking for it is still fine. */
const EXPANDABLE: Record<Kind, Record<string, Kind | 'any' | null>> = {
  customer: {
    default_source: null,
    'invoice_settings.default_payment_method': 'payment_method',
    test_clock: 'test_helpers.test_clock',
  },
  payment_method: { customer: 'customer' },
  payment_intent: {
    application: null,
    customer: 'customer',
    latest_charge: 'charge',
    on_behalf_of: null,
    payment_method: 'payment_method',
    review: null,
    source: null,
  },
  setup_intent: {
    application: null,
    customer: 'customer',
    latest_attempt: 'setup_attempt',
    mandate: null,
    on_behalf_of: null,
    payment_method: 'payment_method',
    single_use_mandate: null,
  },
  setup_attempt: {
    application: null,
    customer: 'customer',
    on_behalf_of: null,
    payment_method: 'payment_method',
    setup_intent: 'setup_intent',
  },
  confirmation_token: {},
  customer_session: { customer: 'customer' },
  charge: {
    application: null,
    application_fee: null,
    balance_transaction: 'balance_transaction',
    customer: 'customer',
    failure_balance_transaction: 'balance_transaction',
    on_behalf_of: null,
    payment_intent: 'payment_intent',
    review: null,
    source_transfer: null,
  },
  refund: {
    balance_transaction: 'balance_transaction',
    charge: 'charge',
    customer: 'customer',
    failure_balance_transaction: 'balance_transaction',
    payment_intent: 'payment_intent',
    payment_method: 'payment_method',
    source_transfer_reversal: null,
    transfer_reversal: null,
  },
  dispute: { charge: 'charge', payment_intent: 'payment_intent' },
  'radar.early_fraud_warning': { charge: 'charge', payment_intent: 'payment_intent' },
  balance_transaction: { source: 'any' },
  webhook_endpoint: {},
  product: { default_price: 'price', tax_code: null },
  price: { product: 'product', currency_options: null, tiers: null },
  coupon: { applies_to: null, currency_options: null },
  promotion_code: { customer: 'customer', 'promotion.coupon': 'coupon' },
  discount: { customer: 'customer', promotion_code: 'promotion_code', 'source.coupon': 'coupon' },
  subscription: {
    application: null,
    customer: 'customer',
    default_payment_method: 'payment_method',
    default_source: null,
    discounts: 'discount',
    latest_invoice: 'invoice',
    on_behalf_of: null,
    pending_setup_intent: 'setup_intent',
    schedule: null,
    test_clock: 'test_helpers.test_clock',
  },
  invoice: {
    application: null,
    customer: 'customer',
    default_payment_method: 'payment_method',
    default_source: null,
    discounts: 'discount',
    latest_revision: 'invoice',
    on_behalf_of: null,
    'parent.subscription_details.subscription': 'subscription',
    test_clock: 'test_helpers.test_clock',
  },
  invoice_payment: {
    invoice: 'invoice',
    'payment.charge': 'charge',
    'payment.payment_intent': 'payment_intent',
  },
  'test_helpers.test_clock': {},
  'checkout.session': {
    customer: 'customer',
    'discounts.coupon': 'coupon',
    'discounts.promotion_code': 'promotion_code',
    invoice: 'invoice',
    payment_intent: 'payment_intent',
    payment_link: null,
    setup_intent: 'setup_intent',
    subscription: 'subscription',
  },
  'billing_portal.configuration': { application: null },
  'billing_portal.session': { configuration: 'billing_portal.configuration' },
}

/** The same for objects that exist inside of others only. */
const EXPANDABLE_INSIDE: Record<string, Record<string, Kind | null>> = {
  subscription_item: { discounts: 'discount' },
  line_item: {
    discounts: 'discount',
    subscription: 'subscription',
    'pricing.price_details.price': 'price',
  },
  plan: { product: 'product' },
}

const MAX_LEVELS = 4

type Fields = Record<string, unknown>

/**
 * A copy of an answer with the asked-for ids replaced by their objects (stripe.L3). Paths into a list begin with `data.`.
 * `render` shapes what is put in, as the answer itself was.
 */
export function expand(
  store: Store,
  answer: unknown,
  paths: string[],
  render: (object: Fields) => unknown = (object) => object,
): unknown {
  if (paths.length === 0 || !isFields(answer)) return answer
  const copy = structuredClone(answer)
  for (const path of paths) {
    const names = path.split('.')
    if (names.length > MAX_LEVELS) {
      throw invalidParameter(
        'expand',
        `You cannot expand more than ${MAX_LEVELS} levels of a property: ${path}`,
      )
    }
    if (copy.object !== 'list') expandPath(store, copy, names, path, render)
    else expandList(store, copy, names, path, render)
  }
  return copy
}

function expandList(
  store: Store,
  list: Fields,
  [first, ...names]: string[],
  path: string,
  render: (object: Fields) => unknown,
): void {
  if (first !== 'data' || names.length === 0) throw cannotExpand(path)
  const items = Array.isArray(list.data) ? list.data : []
  for (const item of items) if (isFields(item)) expandPath(store, item, names, path, render)
}

function expandPath(
  store: Store,
  object: Fields,
  [name, ...rest]: string[],
  path: string,
  render: (object: Fields) => unknown,
  owner = { fields: expandableOf(object), prefix: '' },
): void {
  if (name === undefined) return
  const { fields, prefix } = owner
  const key = prefix + name
  if (!Object.hasOwn(fields, key)) {
    const included = includedIn(store, object, name)
    if (included !== undefined) object[name] = included
    const inside = object[name]
    // A list or a whole object (the payment method in an error) may be stepped through.
    const canStep = included !== undefined || (rest.length > 0 && typeof inside === 'object')
    if (!canStep) throw cannotExpand(path)
    for (const one of Array.isArray(inside) ? inside : [inside]) {
      if (!isFields(one)) continue
      const own = typeof one.object === 'string'
      expandPath(store, one, rest, path, render, {
        fields: own ? expandableOf(one) : fields,
        prefix: own ? '' : `${key}.`,
      })
    }
    return
  }
  const kind = fields[key]
  if (!kind) return
  const reference = object[name]
  object[name] = Array.isArray(reference)
    ? reference.map((one) => resolved(store, kind, one, render))
    : resolved(store, kind, reference, render)
  for (const inside of Array.isArray(object[name]) ? object[name] : [object[name]]) {
    if (isFields(inside) && inside.deleted !== true) expandPath(store, inside, rest, path, render)
  }
}

function expandableOf(object: Fields): Record<string, Kind | 'any' | null> {
  const kind = String(object.object)
  return EXPANDABLE[kind as Kind] ?? EXPANDABLE_INSIDE[kind] ?? {}
}

/** The object behind an id; anything else, also an id of nothing, stays as it is. */
function resolved(
  store: Store,
  kind: Kind | 'any',
  reference: unknown,
  render: (object: Fields) => unknown,
): unknown {
  if (typeof reference !== 'string') return reference
  const found = kind === 'any' ? store.findAny(reference) : store.find(kind, reference)
  if (!found) return reference
  if (found.deleted) return { id: reference, object: found.object.object, deleted: true }
  return render(structuredClone(found.object) as unknown as Fields)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function cannotExpand(path: string) {
  return invalidParameter('expand', `This property cannot be expanded (${path}).`)
}
