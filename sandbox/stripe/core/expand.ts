import { invalidParameter } from '../http/errors.ts'
import { idOf, type Kind } from './resources.ts'
import type { Store } from './store.ts'

/** Fields that hold an id and can hold the object instead. `any`: the id tells. Null: nothing can be behind it here, asking for it is still fine. */
const EXPANDABLE: Record<Kind, Record<string, Kind | 'any' | null>> = {
  customer: { default_source: null, test_clock: null },
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
): void {
  if (name === undefined) return
  const fields = EXPANDABLE[object.object as Kind] ?? {}
  if (!Object.hasOwn(fields, name)) {
    // An object that is always whole (the payment method in an error) may be stepped through.
    const inside = object[name]
    if (rest.length === 0 || !isFields(inside)) throw cannotExpand(path)
    expandPath(store, inside, rest, path, render)
    return
  }
  const kind = fields[name]
  const id = idOf(object[name] as string | { id: string } | null)
  if (!kind || id === null) return
  if (typeof object[name] === 'string') {
    const found = kind === 'any' ? store.findAny(id) : store.find(kind, id)
    if (!found) return
    object[name] = found.deleted
      ? { id, object: found.object.object, deleted: true }
      : render(found.object as unknown as Fields)
  }
  const inside = object[name]
  if (isFields(inside) && inside.deleted !== true) expandPath(store, inside, rest, path, render)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function cannotExpand(path: string) {
  return invalidParameter('expand', `This property cannot be expanded (${path}).`)
}
