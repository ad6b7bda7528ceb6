import { createCheckoutActions } from './checkout-actions.js'
import { checkoutSession } from './checkout-session.js'
import { createElements, elementsInternals } from './elements.js'
import { createEmitter } from './emitter.js'
import { IntegrationError, notInStandIn } from './errors.js'
import { callController } from './frames.js'

const MISSING_ELEMENTS = [
  'BillingAddressElement',
  'ContactDetailsElement',
  'CurrencySelectorElement',
  'ExpressCheckoutElement',
  'LinkSignupElement',
  'ShippingAddressElement',
  'TaxIdElement',
  'TermsElement',
]

/**
 * `stripe.initCheckoutElementsSdk()`: a Checkout Session whose fields are in the shop's page. All methods are own properties, because
 * React's `useCheckoutElements()` spreads the object.
 */
export function initCheckoutElementsSdk(
  publishableKey,
  { clientSecret, elementsOptions, defaultValues } = {},
) {
  if (typeof clientSecret?.then !== 'function') checkSecret(clientSecret)
  // The mode is for the group only: the session knows what the card is for.
  const elements = createElements(publishableKey, { mode: 'setup', appearance: elementsOptions?.appearance })
  const emitter = createEmitter()
  const entered = { email: defaultValues?.email ?? null, isPaymentComplete: false }
  let view = null
  let session = null
  let loaded = null

  const refresh = () => {
    if (!view) return
    const next = checkoutSession(view, entered)
    if (JSON.stringify(next) === JSON.stringify(session)) return
    session = next
    emitter.emit('change', session)
  }
  const take = (found) => {
    view = found
    refresh()
  }
  const createCheckout = (secret) => ({
    view: () => view,
    session: () => session,
    enterEmail(email) {
      entered.email = email
      refresh()
    },
    async reload() {
      const answer = await callController('retrieveCheckout', { publishableKey, clientSecret: secret })
      if (!answer.error) take(answer.session)
      return answer
    },
    /** Confirms, with the card of the Payment Element unless the session needs none. */
    async send(params) {
      const request = { publishableKey, clientSecret: secret, params }
      const answer = view.needs_payment_method
        ? await elementsInternals('checkout.confirm()', elements).request('confirmCheckout', request)
        : await callController('confirmCheckout', request)
      if (!answer.error) take(answer.confirmation.session)
      return answer
    },
  })
  const load = async () => {
    try {
      const secret = await clientSecret
      checkSecret(secret)
      const checkout = createCheckout(secret)
      const { error } = await checkout.reload()
      if (error) return failed(error)
      return { type: 'success', actions: createCheckoutActions(checkout) }
    } catch (error) {
      return failed(error)
    }
  }
  const follow = (isComplete) => {
    entered.isPaymentComplete = isComplete
    refresh()
  }

  const sdk = {
    loadActions() {
      loaded ??= load()
      return loaded
    },
    on(name, handler) {
      if (name !== 'change') throw new IntegrationError(`checkout.on(): there is no event '${name}'.`)
      emitter.on(name, handler)
    },
    changeAppearance(appearance) {
      elements.update({ appearance })
    },
    // As with stripe.elements(), the fields keep the fonts they have.
    loadFonts() {},
    createPaymentElement(options) {
      const element = elements.create('payment', options)
      element.on('change', ({ complete }) => follow(complete))
      // A new element starts with empty fields.
      follow(false)
      return element
    },
    getPaymentElement: () => elements.getElement('payment'),
  }
  for (const name of MISSING_ELEMENTS) {
    sdk[`get${name}`] = () => null
    sdk[`create${name}`] = () => {
      throw notInStandIn(`checkout.create${name}()`)
    }
  }
  return sdk
}

function failed({ message }) {
  return { type: 'error', error: { message, code: null } }
}

/** Throws without repeating the value. */
function checkSecret(clientSecret) {
  if (typeof clientSecret === 'string' && /^cs_[A-Za-z0-9_]+_secret_[A-Za-z0-9]+$/.test(clientSecret)) return
  throw new IntegrationError(
    'Invalid value for stripe.initCheckoutElementsSdk(): clientSecret should be the client secret of a Checkout Session.',
  )
}
