import type Stripe from 'stripe'
import { newId, randomText } from '../core/ids.ts'
import type { Store } from '../core/store.ts'
import { StripeError } from '../http/errors.ts'
import { operation } from '../http/operation.ts'
import {
  boolean,
  fields,
  integer,
  list,
  oneOf,
  type ReadParams,
  required,
  unsupported,
  word,
} from '../http/params.ts'
import { referencedCustomer } from '../payments/find-customer.ts'

type Features = Stripe.CustomerSession.Components.PaymentElement.Features

const LIFETIME_SECONDS = 30 * 60
const DEFAULT_REDISPLAY_LIMIT = 3

const feature = () => oneOf('enabled', 'disabled')

const paymentElement = fields({
  enabled: required(boolean()),
  features: fields({
    payment_method_allow_redisplay_filters: list(required(oneOf('always', 'limited', 'unspecified'))),
    payment_method_redisplay: feature(),
    payment_method_redisplay_limit: integer({ min: 1, max: 10 }),
    payment_method_remove: feature(),
    payment_method_save: feature(),
    payment_method_save_usage: oneOf('off_session', 'on_session'),
  }),
})

const components = fields({
  payment_element: paymentElement,
  ...unsupported(
    'active_entitlements',
    'buy_button',
    'customer_portal',
    'customer_sheet',
    'mobile_payment_element',
    'pricing_table',
  ),
})

export const customerSessionOperations = [
  operation({
    method: 'POST',
    path: '/v1/customer_sessions',
    params: {
      customer: required(word()),
      components: required(components),
      ...unsupported('customer_account'),
    },
    handle({ store }, { customer, components }) {
      referencedCustomer(store, customer)
      const now = store.clock.now()
      const { id: _, ...session } = store.insert(
        'customer_session',
        {
          id: newId('customer_session'),
          object: 'customer_session',
          client_secret: `cuss_secret_${randomText(40)}`,
          components: toComponents(components.payment_element),
          created: now,
          customer,
          customer_account: null,
          expires_at: now + LIFETIME_SECONDS,
          livemode: false,
        },
        {},
      )
      return session
    },
  }),
]

export type OpenSession = { customer: string; features: Features }

/** What the holder of this secret may do. @throws StripeError for a secret that is unknown or over. */
export function openSession(store: Store, clientSecret: string): OpenSession {
  const bySecret = { sql: "data ->> '$.client_secret' = ?", values: [clientSecret] }
  const [found] = store.select('customer_session', [bySecret], { limit: 1 })
  if (!found) {
    throw new StripeError(400, {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: 'No such customer session: the client secret is not known.',
      param: 'customer_session_client_secret',
    })
  }
  const { components, customer, expires_at } = found.object
  if (expires_at <= store.clock.now()) {
    throw new StripeError(400, {
      type: 'invalid_request_error',
      code: 'customer_session_expired',
      message: 'This CustomerSession has expired. Create a new one to go on.',
      param: 'customer_session_client_secret',
    })
  }
  return {
    customer: typeof customer === 'string' ? customer : customer.id,
    features: components?.payment_element.features ?? toFeatures(undefined),
  }
}

function toComponents(
  given: ReadParams<Record<'element', typeof paymentElement>>['element'],
): Stripe.CustomerSession.Components {
  const enabled = given?.enabled ?? false
  return {
    active_entitlements: { enabled: false },
    buy_button: { enabled: false },
    customer_portal: { enabled: false },
    customer_sheet: { enabled: false, features: null },
    mobile_payment_element: { enabled: false, features: null },
    payment_element: { enabled, features: enabled ? toFeatures(given?.features) : null },
    pricing_table: { enabled: false },
  }
}

type GivenFeatures = NonNullable<ReadParams<Record<'element', typeof paymentElement>>['element']>['features']

function toFeatures(given: GivenFeatures): Features {
  return {
    payment_method_allow_redisplay_filters: given?.payment_method_allow_redisplay_filters ?? ['always'],
    payment_method_redisplay: given?.payment_method_redisplay ?? 'disabled',
    payment_method_redisplay_limit: given?.payment_method_redisplay_limit ?? DEFAULT_REDISPLAY_LIMIT,
    payment_method_remove: given?.payment_method_remove ?? 'disabled',
    payment_method_save: given?.payment_method_save ?? 'disabled',
    payment_method_save_usage: given?.payment_method_save_usage ?? null,
  }
}
