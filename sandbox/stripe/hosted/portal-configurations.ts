import type Stripe from 'stripe'
import { withGiven } from '../core/changes.ts'
import { newId } from '../core/ids.ts'
import { listObjects, pageParams } from '../core/list.ts'
import { mergeMetadata, metadata } from '../core/metadata.ts'
import type { Store } from '../core/store.ts'
import { recordEvent } from '../events/record.ts'
import { automaticCall } from '../http/call.ts'
import { noSuch } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import {
  boolean,
  clearable,
  fields,
  list,
  oneOf,
  type ReadParams,
  required,
  text,
  unsupported,
  word,
} from '../http/params.ts'

type Configuration = Stripe.BillingPortal.Configuration
type Features = Stripe.BillingPortal.Configuration.Features

const URL = '/v1/billing_portal/configurations'

const proration = oneOf('always_invoice', 'create_prorations', 'none')
const reasons = oneOf(
  'customer_service',
  'low_quality',
  'missing_features',
  'other',
  'switched_service',
  'too_complex',
  'too_expensive',
  'unused',
)

const features = fields({
  customer_update: fields({
    allowed_updates: clearable(list(oneOf('address', 'email', 'name', 'phone', 'shipping', 'tax_id'))),
    enabled: boolean(),
  }),
  invoice_history: fields({ enabled: required(boolean()) }),
  payment_method_update: fields({
    enabled: required(boolean()),
    ...unsupported('payment_method_configuration'),
  }),
  subscription_cancel: fields({
    cancellation_reason: fields({
      enabled: required(boolean()),
      options: clearable(list(reasons)),
      ...unsupported('feedback_options'),
    }),
    enabled: boolean(),
    mode: oneOf('at_period_end', 'immediately'),
    proration_behavior: proration,
  }),
  subscription_update: fields({
    default_allowed_updates: clearable(list(oneOf('price', 'promotion_code', 'quantity'))),
    enabled: boolean(),
    products: clearable(
      list(
        fields({
          product: required(word()),
          prices: required(list(word())),
          ...unsupported('adjustable_quantity'),
        }),
      ),
    ),
    proration_behavior: proration,
    ...unsupported('billing_cycle_anchor', 'schedule_at_period_end', 'trial_update_behavior'),
  }),
  ...unsupported('subscription_pause'),
})

const shared = {
  business_profile: fields({
    headline: text({ max: 60 }),
    privacy_policy_url: text(),
    terms_of_service_url: text(),
  }),
  default_return_url: text(),
  login_page: fields({ enabled: required(oneOf('false')) }),
  metadata: metadata(),
  name: text(),
}

export const portalConfigurationOperations = [
  operation({
    method: 'POST',
    path: URL,
    params: { ...shared, features: required(features) },
    handle(call, params) {
      const created = applied(newConfiguration(call.store, NOTHING), params)
      call.store.insert('billing_portal.configuration', created, {})
      recordEvent(call, 'billing_portal.configuration.created', created)
      return created
    },
  }),
  operation({
    method: 'GET',
    path: `${URL}/:id`,
    params: {},
    handle: ({ store }, _params, { id }) => getConfiguration(store, id, 404),
  }),
  operation({
    method: 'POST',
    path: `${URL}/:id`,
    params: { ...shared, active: boolean(), features },
    handle(call, { active, ...params }, { id }) {
      const before = getConfiguration(call.store, id, 404)
      const after = { ...withGiven(applied(before, params), { active }), updated: call.store.clock.now() }
      call.store.save('billing_portal.configuration', after)
      recordEvent(call, 'billing_portal.configuration.updated', after)
      return after
    },
  }),
  operation({
    method: 'GET',
    path: URL,
    params: { ...pageParams, active: boolean(), is_default: boolean() },
    handle({ store }, { active, is_default, ...page }) {
      const flags = Object.entries({ active, is_default }).flatMap(([name, value]) =>
        value === undefined ? [] : [{ sql: `data ->> '$.${name}' = ?`, values: [value ? 1 : 0] }],
      )
      return listObjects(store, 'billing_portal.configuration', URL, page, flags)
    },
  }),
]

export function getConfiguration(store: Store, id: string, status: 400 | 404): Configuration {
  const found = store.find('billing_portal.configuration', id)
  if (!found) throw noSuch('configuration', id, 'configuration', status)
  return found.object
}

/** What a portal without a configuration shows: everything it can. Stripe has one when somebody saved the settings in its dashboard. */
export function defaultConfiguration(store: Store): Configuration {
  const [found] = store.select('billing_portal.configuration', [
    { sql: "data ->> '$.is_default' = 1", values: [] },
  ])
  if (found) return found.object
  const created = { ...newConfiguration(store, EVERYTHING), is_default: true }
  store.insert('billing_portal.configuration', created, {})
  recordEvent(automaticCall(store), 'billing_portal.configuration.created', created)
  return created
}

type Given = Partial<ReadParams<typeof shared>> & {
  features?: ReadParams<{ features: typeof features }>['features']
}

function applied(
  before: Configuration,
  { features, business_profile, metadata, ...given }: Given,
): Configuration {
  return {
    ...withGiven(before, { default_return_url: given.default_return_url, name: given.name }),
    business_profile: withGiven(before.business_profile, business_profile ?? {}),
    metadata: mergeMetadata(before.metadata ?? {}, metadata),
    features: features ? withFeatures(before.features, features) : before.features,
  }
}

function withFeatures(before: Features, given: NonNullable<Given['features']>): Features {
  const cancel = given.subscription_cancel
  const update = given.subscription_update
  const customer = given.customer_update
  const reason = cancel?.cancellation_reason
  return {
    ...before,
    customer_update: withGiven(before.customer_update, {
      enabled: customer?.enabled ?? (customer ? true : undefined),
      allowed_updates: customer?.allowed_updates === null ? [] : customer?.allowed_updates,
    }),
    invoice_history: given.invoice_history ?? before.invoice_history,
    payment_method_update: withGiven(before.payment_method_update, {
      enabled: given.payment_method_update?.enabled,
    }),
    subscription_cancel: withGiven(before.subscription_cancel, {
      enabled: cancel?.enabled,
      mode: cancel?.mode,
      proration_behavior: cancel?.proration_behavior,
      cancellation_reason: reason && {
        enabled: reason.enabled,
        feedback_options: null,
        options: reason.options ?? before.subscription_cancel.cancellation_reason.options,
      },
    }),
    subscription_update: withGiven(before.subscription_update, {
      enabled: update?.enabled,
      default_allowed_updates:
        update?.default_allowed_updates === null ? [] : update?.default_allowed_updates,
      proration_behavior: update?.proration_behavior,
      products: update?.products?.map(({ product, prices }) => ({
        adjustable_quantity: { enabled: false, maximum: null, minimum: 1 },
        prices,
        product,
      })),
    }),
  }
}

const EVERYTHING = true
const NOTHING = false

function newConfiguration(store: Store, enabled: boolean): Configuration {
  const now = store.clock.now()
  return {
    id: newId('portal_configuration'),
    object: 'billing_portal.configuration',
    active: true,
    application: null,
    business_profile: { headline: null, privacy_policy_url: null, terms_of_service_url: null },
    created: now,
    default_return_url: null,
    features: {
      customer_update: { allowed_updates: [], enabled: false },
      invoice_history: { enabled },
      payment_method_update: { enabled, payment_method_configuration: null },
      subscription_cancel: {
        cancellation_reason: {
          enabled: false,
          feedback_options: null,
          options: ['too_expensive', 'unused', 'other'],
        },
        enabled,
        mode: 'at_period_end',
        proration_behavior: 'none',
      },
      subscription_pause: { duration: { interval_options: [], type: 'indefinite' }, enabled: false },
      subscription_update: {
        billing_cycle_anchor: null,
        default_allowed_updates: enabled ? ['price'] : [],
        enabled,
        products: null,
        proration_behavior: 'create_prorations',
        schedule_at_period_end: { conditions: [] },
        trial_update_behavior: 'end_trial',
      },
    },
    is_default: false,
    livemode: false,
    login_page: { enabled: false, url: null },
    metadata: {},
    name: null,
    updated: now,
  }
}
