/** The API calls that frames make for the page. They go to the frame's own origin; the CSP allows no other. */

const UNREACHABLE = {
  type: 'api_connection_error',
  message: 'An error occurred with our connection to Stripe. Please check your network and try again.',
}

/** What a client secret belongs to: where its intent is, and the name Stripe.js gives it in results. */
const KINDS = {
  pi: { collection: 'payment_intents', name: 'paymentIntent' },
  seti: { collection: 'setup_intents', name: 'setupIntent' },
}

/** `{ paymentIntent }` or `{ setupIntent }`, whichever the client secret is of, or `{ error }`. */
export function retrieveIntent({ publishableKey, clientSecret }) {
  const query = new URLSearchParams({ client_secret: clientSecret })
  const { path, name } = intentOf(clientSecret)
  return call(publishableKey, name, `${path}?${query}`, { method: 'GET' })
}

/** `params` are Stripe's confirm parameters; `use_stripe_sdk` asks for a challenge that can be shown in the page. */
export function confirmIntent({ publishableKey, clientSecret, params }) {
  const { path, name } = intentOf(clientSecret)
  const body = encodeForm({ ...params, client_secret: clientSecret, use_stripe_sdk: true })
  return call(publishableKey, name, `${path}/confirm`, { method: 'POST', body })
}

export function createPaymentMethod({ publishableKey, params }) {
  const body = encodeForm(params)
  return call(publishableKey, 'paymentMethod', '/v1/payment_methods', { method: 'POST', body })
}

export function createConfirmationToken({ publishableKey, params }) {
  const body = encodeForm({ ...params, use_stripe_sdk: true })
  return call(publishableKey, 'confirmationToken', '/v1/confirmation_tokens', { method: 'POST', body })
}

/** `{ session }` of a Checkout Session whose fields are in the page, or `{ error }`. */
export function retrieveCheckout({ publishableKey, clientSecret }) {
  const query = new URLSearchParams({ client_secret: clientSecret })
  return call(publishableKey, 'session', `${checkoutPath(clientSecret)}?${query}`, { method: 'GET' })
}

/** `{ confirmation: { outcome, session } }`, also when the card was declined, or `{ error }`. */
export function confirmCheckout({ publishableKey, clientSecret, params }) {
  const body = encodeForm({ ...params, client_secret: clientSecret })
  return call(publishableKey, 'confirmation', `${checkoutPath(clientSecret)}/confirm`, {
    method: 'POST',
    body,
  })
}

/** What may be shown of a customer, and what they may do. */
export function readCustomerSession({ publishableKey, customerSessionClientSecret }) {
  const query = new URLSearchParams({ customer_session_client_secret: customerSessionClientSecret })
  return call(publishableKey, 'session', `/v1/elements/sessions?${query}`, { method: 'GET' })
}

export function detachSavedCard({ publishableKey, customerSessionClientSecret, paymentMethod }) {
  const body = encodeForm({
    customer_session_client_secret: customerSessionClientSecret,
    payment_method: paymentMethod,
  })
  return call(publishableKey, 'paymentMethod', '/v1/elements/sessions/detach', { method: 'POST', body })
}

function intentOf(clientSecret) {
  const intentId = String(clientSecret).split('_secret_')[0]
  const { collection, name } = intentId.startsWith('seti_') ? KINDS.seti : KINDS.pi
  return { name, path: `/v1/${collection}/${encodeURIComponent(intentId)}` }
}

function checkoutPath(clientSecret) {
  const [sessionId] = String(clientSecret).split('_secret_')
  return `/v1/elements/checkout_sessions/${encodeURIComponent(sessionId)}`
}

async function call(publishableKey, name, path, init) {
  let response
  let body
  try {
    const headers = { authorization: `Bearer ${publishableKey}` }
    response = await fetch(path, { ...init, headers, credentials: 'omit', cache: 'no-store' })
    body = await response.json()
  } catch {
    return { error: UNREACHABLE }
  }
  if (body?.error) return { error: body.error }
  if (response.ok) return { [name]: body }
  return { error: { type: 'api_error', message: `Stripe answered with status ${response.status}.` } }
}

/** Stripe's form encoding: `a[b]=1`, `a[0]=x`; undefined is left out, null and '' unset a value. */
export function encodeForm(params) {
  const form = new URLSearchParams()
  const append = (key, value) => {
    if (value === undefined) return
    if (value === null || typeof value !== 'object') form.append(key, value ?? '')
    else for (const [name, inner] of Object.entries(value)) append(`${key}[${name}]`, inner)
  }
  for (const [key, value] of Object.entries(params)) append(key, value)
  return form
}
