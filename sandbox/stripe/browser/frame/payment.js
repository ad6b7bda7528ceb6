import { acceptConnection } from '../shared/channel.js'
import { applyAppearance } from './appearance.js'
import { createCardForm } from './card-form.js'
import { createCountryField } from './country-field.js'
import { reportFrameEvents, takeFocus } from './frame-events.js'
import { createSavedCards } from './saved-cards.js'
import {
  confirmCheckout,
  confirmIntent,
  createConfirmationToken,
  createPaymentMethod,
  detachSavedCard,
  readCustomerSession,
  retrieveIntent,
} from './stripe-api.js'

const form = document.getElementById('payment-form')
const notice = document.getElementById('load-error')
const saveField = document.getElementById('save-field')
const save = document.getElementById('save')
const card = createCardForm({ onChange: tellChange, onResize: () => reportHeight() })
const country = createCountryField()
const savedCards = createSavedCards({ onChoose: tellChange, onResize: () => reportHeight(), remove })

/** The group's options as of now, and what its customer session allows (null without one). */
let group = {}
let session = null
/** The card is kept whatever the customer ticks: the intent says so. */
let keptAnyway = false

const emit = acceptConnection({
  /** Makes the element usable, or says why it is not: a wrong key, an unknown intent, one that is already paid. */
  async init({ appearance, options, ...given }) {
    group = given
    applyAppearance(appearance)
    const error = (group.clientSecret ? await findObstacle(group) : null) ?? (await openSession())
    configure(options)
    notice.textContent = error ? 'The payment form could not be loaded.' : ''
    form.hidden = Boolean(error)
    document.body.removeAttribute('aria-busy')
    reportHeight()
    return error ? { error } : {}
  },
  async update({ appearance, options, ...given }) {
    const formerSession = group.customerSessionClientSecret
    group = { ...group, ...given }
    if (appearance) applyAppearance(appearance)
    if (group.customerSessionClientSecret !== formerSession) await openSession()
    if (options) configure(options)
    else country.configure(configured, group.asksBillingAddress)
    reportHeight()
    return {}
  },
  submit() {
    const error = validate()
    return error ? { error } : { selectedPaymentMethod: 'card' }
  },
  /** The card fields join the request here, inside Stripe's origin. */
  confirmIntent({ publishableKey, clientSecret, params }) {
    const error = validate()
    if (error) return { error }
    const ofPayment = clientSecret.startsWith('pi_')
    return confirmIntent({ publishableKey, clientSecret, params: withMethod(params, ofPayment) })
  },
  confirmCheckout({ publishableKey, clientSecret, params }) {
    const error = validate()
    if (error) return { error }
    return confirmCheckout({ publishableKey, clientSecret, params: withMethod(params, false) })
  },
  createConfirmationToken({ publishableKey, params }) {
    const error = validate()
    if (error) return { error }
    return createConfirmationToken({ publishableKey, params: withMethod(params, group.mode !== 'setup') })
  },
  createPaymentMethod({ publishableKey, params }) {
    const error = validate()
    if (error) return { error }
    const saved = savedCards.choice()
    if (saved) return { paymentMethod: saved }
    return createPaymentMethod({ publishableKey, params: paymentMethodData(params) })
  },
  focus: () => takeFocus(savedCards.choice() ? savedCards.focus : card.focus),
  blur: () => document.activeElement?.blur(),
  clear: () => card.clear(),
})
const reportHeight = reportFrameEvents(emit)
save.addEventListener('change', tellChange)

let configured = {}
function configure(options = {}) {
  configured = options
  const readOnly = options.readOnly === true
  country.configure(options, group.asksBillingAddress)
  card.setReadOnly(readOnly)
  country.setReadOnly(readOnly)
  savedCards.setReadOnly(readOnly)
  save.disabled = readOnly
}

/** Shows what the customer session allows. Returns an error or null. */
async function openSession() {
  const { publishableKey, customerSessionClientSecret } = group
  if (!customerSessionClientSecret) return null
  const answer = await readCustomerSession({ publishableKey, customerSessionClientSecret })
  if (answer.error) return answer.error
  session = answer.session
  const { features, payment_methods: cards } = session
  savedCards.configure(cards, features.payment_method_remove === 'enabled')
  saveField.hidden = features.payment_method_save !== 'enabled'
  return null
}

/** Takes a card off the customer's list and tells the page how it went. */
async function remove(paymentMethod) {
  const { publishableKey, customerSessionClientSecret } = group
  const { error } = await detachSavedCard({
    publishableKey,
    customerSessionClientSecret,
    paymentMethod: paymentMethod.id,
  })
  emit('savedpaymentmethodremove', {
    success: !error,
    ...(error ? { error: error.message } : {}),
    payment_method: describe(paymentMethod),
  })
  return error ?? null
}

function validate() {
  return savedCards.choice() ? null : card.validate()
}

function tellChange() {
  const saved = savedCards.choice()
  emit('change', {
    complete: saved !== null || card.isComplete(),
    empty: saved === null && card.isEmpty(),
    collapsed: false,
    value: {
      type: 'card',
      ...(saved ? { payment_method: describe(saved) } : {}),
      ...(saveField.hidden || saved ? {} : { savePaymentMethod: save.checked }),
    },
  })
}

/** Parameters of a confirmation, with the card of the form or the one that was chosen. */
function withMethod(params, ofPayment) {
  const saved = savedCards.choice()
  const { payment_method_data: given, ...rest } = params
  if (saved) return { ...rest, payment_method: saved.id }
  const usage = session?.features.payment_method_save_usage
  const keeps = ofPayment && isToBeSaved() && usage ? { setup_future_usage: usage } : {}
  return { ...rest, ...keeps, payment_method_data: { ...paymentMethodData(given), ...redisplay(given) } }
}

/** Whether the card may be shown to the customer again: with their word always, kept without it to a limited extent. */
function redisplay(given = {}) {
  if (isToBeSaved()) return { allow_redisplay: 'always' }
  if (given.allow_redisplay || !session) return {}
  const kept = !saveField.hidden && (keptAnyway || group.mode === 'setup' || group.setupFutureUsage)
  return { allow_redisplay: kept ? 'limited' : 'unspecified' }
}

function isToBeSaved() {
  return !saveField.hidden && save.checked
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
  const { error, paymentIntent, setupIntent } = await retrieveIntent(intent)
  if (error) return error
  const found = paymentIntent ?? setupIntent
  keptAnyway = Boolean(setupIntent ?? paymentIntent?.setup_future_usage)
  if (!['succeeded', 'canceled'].includes(found.status)) return null
  return {
    type: 'invalid_request_error',
    code: `${found.object}_unexpected_state`,
    message: `This ${paymentIntent ? 'PaymentIntent' : 'SetupIntent'} is in a terminal state and cannot be used to initialize Elements.`,
    [found.object]: found,
  }
}

/** What the page may know of a saved card. */
function describe({ id, type, billing_details }) {
  return { id, type, billing_details }
}
