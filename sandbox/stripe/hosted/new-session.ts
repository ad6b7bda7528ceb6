import type Stripe from 'stripe'
import { readRedemption } from '../billing/discounts.ts'
import type { CheckoutPlan } from '../billing/resources.ts'
import { scheduleAt } from '../billing/schedule.ts'
import { newId, randomText } from '../core/ids.ts'
import { mergeMetadata } from '../core/metadata.ts'
import { recordEvent } from '../events/record.ts'
import type { Call } from '../http/call.ts'
import { invalidParameter, missingParameter } from '../http/errors.ts'
import type { ReadParams } from '../http/params.ts'
import { referencedCustomer } from '../payments/find-customer.ts'
import { checkedCurrency } from '../payments/intent-rules.ts'
import { newSetup } from '../saving/setup-intents.ts'
import { pricedItems, readLineItems, totals } from './line-items.ts'
import type { createParams } from './session-params.ts'

type Session = Stripe.Checkout.Session
type Params = ReadParams<typeof createParams>

const HOUR = 60 * 60
const SHORTEST_SECONDS = HOUR / 2
const LONGEST_SECONDS = 24 * HOUR
/** A clock that is a little off must not make the shortest or longest time an error. */
const LEEWAY_SECONDS = 60

/** The page is made, not yet what is paid with it: that comes when the customer pays (stripe.E3). */
export function createSession(call: Call, params: Params): Session {
  const { store } = call
  const mode = params.mode
  if (!mode) throw missingParameter('mode')
  assertUrls(params)
  const customer = params.customer ? referencedCustomer(store, params.customer) : null
  if (customer && params.customer_email) {
    throw invalidParameter(
      'customer_email',
      'You may only specify one of these parameters: customer, customer_email.',
    )
  }
  if (mode !== 'setup' && !params.line_items?.length) throw missingParameter('line_items')

  const discounts = (params.discounts ?? []).map((given) => {
    const { coupon, promotionCode } = readRedemption(store, given)
    return { coupon: coupon.id, promotionCode }
  })
  const items = pricedItems(store, readLineItems(call, mode, params.line_items ?? []), discounts)
  const sums = totals(items)
  const currency = items[0]?.currency ?? params.currency?.toLowerCase() ?? null
  if (mode === 'payment' && currency && sums.amount_total > 0)
    checkedCurrency(store, sums.amount_total, currency)

  const id = newId('checkout_session')
  const now = store.clock.now()
  const hosted = (params.ui_mode ?? 'hosted_page') === 'hosted_page'
  const email = customer?.email ?? params.customer_email ?? null
  const session: Session = {
    id,
    object: 'checkout.session',
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: params.allow_promotion_codes ?? null,
    allowed_payment_method_types: params.allowed_payment_method_types ?? null,
    amount_subtotal: mode === 'setup' ? null : sums.amount_subtotal,
    amount_total: mode === 'setup' ? null : sums.amount_total,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: params.billing_address_collection ?? null,
    cancel_url: hosted ? (params.cancel_url ?? null) : null,
    client_reference_id: params.client_reference_id ?? null,
    client_secret: hosted ? null : `${id}_secret_${randomText(25)}`,
    collected_information: null,
    consent: null,
    consent_collection: null,
    created: now,
    currency,
    currency_conversion: null,
    custom_fields: [],
    custom_text: {
      after_submit: null,
      shipping_address: null,
      submit: null,
      terms_of_service_acceptance: null,
    },
    customer: customer?.id ?? null,
    customer_account: null,
    customer_creation: customer ? null : customerCreation(params),
    customer_details: email === null ? null : customerDetails({ email, name: customer?.name ?? null }),
    customer_email: params.customer_email ?? null,
    discounts: discounts.map(({ coupon, promotionCode }) => ({ coupon, promotion_code: promotionCode })),
    expires_at: checkedExpiry(now, params.expires_at),
    integration_identifier: null,
    invoice: null,
    invoice_creation:
      mode === 'payment'
        ? {
            enabled: false,
            invoice_data: {
              account_tax_ids: null,
              custom_fields: null,
              description: null,
              footer: null,
              issuer: null,
              metadata: {},
              rendering_options: null,
            },
          }
        : null,
    livemode: false,
    locale: params.locale ?? null,
    managed_payments: { enabled: false },
    metadata: mergeMetadata({}, params.metadata),
    mode,
    origin_context: params.origin_context ?? null,
    payment_intent: null,
    payment_link: null,
    payment_method_collection:
      params.payment_method_collection ?? (mode === 'payment' ? 'if_required' : 'always'),
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    payment_status: mode === 'setup' ? 'no_payment_required' : 'unpaid',
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    ...(hosted ? {} : { return_url: params.return_url ?? '' }),
    saved_payment_method_options: null,
    setup_intent: mode === 'setup' ? openSetup(call, params) : null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    status: 'open',
    submit_type: params.submit_type ?? null,
    subscription: null,
    success_url: hosted ? (params.success_url ?? null) : null,
    total_details: mode === 'setup' ? null : sums.total_details,
    ui_mode: params.ui_mode ?? 'hosted_page',
    url: hosted ? `${store.config.baseUrl}/c/pay/${id}` : null,
    wallet_options: null,
  }
  store.insert('checkout.session', session, {
    ...planOf(params, items, discounts),
    clientSecret: session.client_secret,
  })
  scheduleAt(store, 'expire_checkout', { id }, session.expires_at)
  return session
}

export function customerDetails({
  email,
  name,
}: {
  email: string | null
  name: string | null
}): Stripe.Checkout.Session.CustomerDetails {
  return {
    address: null,
    business_name: null,
    email,
    individual_name: null,
    name,
    phone: null,
    tax_exempt: 'none',
    tax_ids: [],
  }
}

function planOf(
  params: Params,
  lineItems: Stripe.LineItem[],
  discounts: CheckoutPlan['discounts'],
): Omit<CheckoutPlan, 'clientSecret'> {
  const { metadata, ...intent } = params.payment_intent_data ?? { metadata: undefined }
  const subscription = params.subscription_data
  const given = Object.entries(intent).filter(([, value]) => value !== undefined)
  return {
    lineItems,
    discounts,
    paymentIntent: { ...Object.fromEntries(given), metadata: mergeMetadata({}, metadata) },
    subscription: {
      description: subscription?.description ?? null,
      metadata: mergeMetadata({}, subscription?.metadata),
      trialDays: subscription?.trial_period_days ?? null,
      trialEnd: subscription?.trial_end ?? null,
      missingPaymentMethod:
        subscription?.trial_settings?.end_behavior?.missing_payment_method ?? 'create_invoice',
    },
    begun: null,
  }
}

function openSetup(call: Call, { customer, setup_intent_data: data }: Params): string {
  const setup = {
    ...newSetup(call.store, {}),
    customer: customer ?? null,
    description: data?.description ?? null,
    metadata: mergeMetadata({}, data?.metadata),
  }
  call.store.insert('setup_intent', setup, {})
  recordEvent(call, 'setup_intent.created', setup)
  return setup.id
}

function customerCreation({ mode, customer_creation }: Params): 'always' | 'if_required' | null {
  if (mode === 'subscription') return 'always'
  return customer_creation ?? 'if_required'
}

function assertUrls(params: Params): void {
  const elements = params.ui_mode === 'elements'
  if (elements && (params.success_url || params.cancel_url)) {
    throw invalidParameter(
      'success_url',
      '`success_url` and `cancel_url` can only be used with `ui_mode: hosted_page`.',
    )
  }
  if (elements && !params.return_url) throw missingParameter('return_url')
  if (!elements && !params.success_url) throw missingParameter('success_url')
  for (const name of ['success_url', 'cancel_url', 'return_url'] as const) {
    const url = params[name]?.replaceAll('{CHECKOUT_SESSION_ID}', 'x')
    if (url === undefined) continue
    const protocol = URL.canParse(url) ? new URL(url).protocol : null
    if (protocol !== 'http:' && protocol !== 'https:')
      throw invalidParameter(name, 'Not a valid URL', 'url_invalid')
  }
}

function checkedExpiry(now: number, wanted: number | undefined): number {
  if (wanted === undefined) return now + LONGEST_SECONDS
  const inRange =
    wanted >= now + SHORTEST_SECONDS - LEEWAY_SECONDS && wanted <= now + LONGEST_SECONDS + LEEWAY_SECONDS
  if (inRange) return wanted
  throw invalidParameter(
    'expires_at',
    'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.',
  )
}
