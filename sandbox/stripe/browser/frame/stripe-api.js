/** The API calls that frames make for the page. They go to the frame's own origin; the CSP allows no other. */

const UNREACHABLE = {
  type: 'api_connection_error',
  message: 'An error occurred with our connection to Stripe. Please check your network and try again.',
}

export function retrievePaymentIntent({ publishableKey, clientSecret }) {
  const query = new URLSearchParams({ client_secret: clientSecret })
  return callForIntent(publishableKey, `${intentPath(clientSecret)}?${query}`, { method: 'GET' })
}

/** `params` are Stripe's confirm parameters; `use_stripe_sdk` asks for a challenge that can be shown in the page. */
export function confirmPaymentIntent({ publishableKey, clientSecret, params }) {
  const body = encodeForm({ ...params, client_secret: clientSecret, use_stripe_sdk: true })
  return callForIntent(publishableKey, `${intentPath(clientSecret)}/confirm`, { method: 'POST', body })
}

function intentPath(clientSecret) {
  const intentId = String(clientSecret).split('_secret_')[0]
  return `/v1/payment_intents/${encodeURIComponent(intentId)}`
}

async function callForIntent(publishableKey, path, init) {
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
  if (response.ok) return { paymentIntent: body }
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
