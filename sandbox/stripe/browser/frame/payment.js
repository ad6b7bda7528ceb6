import { acceptConnection } from '../shared/channel.js'
import { applyAppearance } from './appearance.js'
import { createCardForm } from './card-form.js'
import { createCountryField } from './country-field.js'
import { confirmPaymentIntent, retrievePaymentIntent } from './stripe-api.js'

const FOCUS_SETTLES_MS = 500

const form = document.getElementById('payment-form')
const notice = document.getElementById('load-error')
const card = createCardForm({ onChange: (value) => emit('change', value), onResize: reportHeight })
const country = createCountryField()

const emit = acceptConnection({
  /** Makes the element usable, or says why it is not: a wrong key, an unknown intent, one that is already paid. */
  async init({ publishableKey, clientSecret, appearance, options }) {
    applyAppearance(appearance)
    configure(options)
    const error = clientSecret ? await findObstacle({ publishableKey, clientSecret }) : null
    notice.textContent = error ? 'The payment form could not be loaded.' : ''
    form.hidden = Boolean(error)
    document.body.removeAttribute('aria-busy')
    reportHeight()
    return error ? { error } : {}
  },
  update({ appearance, options }) {
    if (appearance) applyAppearance(appearance)
    if (options) configure(options)
    reportHeight()
    return {}
  },
  submit() {
    const error = card.validate()
    return error ? { error } : { selectedPaymentMethod: 'card' }
  },
  /** The card fields join the request here, inside Stripe's origin. */
  confirmPaymentIntent({ publishableKey, clientSecret, params }) {
    const error = card.validate()
    if (error) return { error }
    return confirmPaymentIntent({
      publishableKey,
      clientSecret,
      params: { ...params, payment_method_data: paymentMethodData(params.payment_method_data) },
    })
  },
  focus() {
    card.focus()
    // The page focuses the iframe as well, and whichever comes last decides where the caret is.
    addEventListener('focus', card.focus, { once: true, signal: AbortSignal.timeout(FOCUS_SETTLES_MS) })
  },
  blur: () => document.activeElement?.blur(),
  clear: () => card.clear(),
})

function configure(options = {}) {
  country.configure(options)
  card.setReadOnly(options.readOnly === true)
  country.setReadOnly(options.readOnly === true)
}

/** What the page knows about the payer is kept; what the payer entered here wins. */
function paymentMethodData(given = {}) {
  const code = country.read()
  const billing = given.billing_details ?? {}
  return {
    ...given,
    type: 'card',
    card: card.read(),
    billing_details: code
      ? { ...billing, address: { ...billing.address, country: code } }
      : given.billing_details,
  }
}

async function findObstacle(intent) {
  const { error, paymentIntent } = await retrievePaymentIntent(intent)
  if (error) return error
  if (!['succeeded', 'canceled'].includes(paymentIntent.status)) return null
  return {
    type: 'invalid_request_error',
    code: 'payment_intent_unexpected_state',
    message: 'This PaymentIntent is in a terminal state and cannot be used to initialize Elements.',
    payment_intent: paymentIntent,
  }
}

function reportHeight() {
  emit('resize', { heightPx: Math.ceil(document.body.getBoundingClientRect().height) })
}

form.addEventListener('submit', (event) => event.preventDefault())
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') emit('escape')
})
// Moving between two fields is neither: the element as a whole keeps the focus.
document.addEventListener('focusin', (event) => event.relatedTarget ?? emit('focus'))
document.addEventListener('focusout', (event) => event.relatedTarget ?? emit('blur'))
new ResizeObserver(reportHeight).observe(document.body)
