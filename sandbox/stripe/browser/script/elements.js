import { parseClientSecret } from './client-secret.js'
import { createEmitter } from './emitter.js'
import { IntegrationError, notInStandIn } from './errors.js'
import { callController } from './frames.js'
import { createPaymentElement } from './payment-element.js'

/** What confirmPayment needs from an Elements object and its users must not see. */
const internals = new WeakMap()

export function elementsInternals(elements) {
  const found = internals.get(elements)
  if (!found)
    throw new IntegrationError('stripe.confirmPayment(): expected `elements` to be an Elements instance.')
  return found
}

/** `stripe.elements()`: with a client secret, or deferred with mode, amount and currency. */
export function createElements(publishableKey, firstOptions = {}) {
  checkOptions(firstOptions)
  const emitter = createEmitter()
  let options = { ...firstOptions }
  let payment = null
  let submitted = false

  const group = {
    frameOptions: () => ({
      publishableKey,
      clientSecret: options.clientSecret,
      appearance: options.appearance,
    }),
  }
  const requirePayment = () => {
    if (!payment)
      throw new IntegrationError('The Elements group has no Payment Element. Create and mount one first.')
    return payment
  }

  const elements = {
    create(type, elementOptions) {
      if (type !== 'payment') throw notInStandIn(`The '${type}' Element`)
      if (payment) throw new IntegrationError('Can only create one Element of type payment.')
      if (!options.clientSecret && !options.mode) {
        throw new IntegrationError(
          'Pass a clientSecret or a mode to stripe.elements() before creating a Payment Element.',
        )
      }
      payment = createPaymentElement(group, elementOptions, () => {
        payment = null
      })
      return payment.element
    },
    getElement: (type) => (type === 'payment' ? (payment?.element ?? null) : null),
    async update(changes) {
      const next = { ...options, ...changes }
      checkOptions(next)
      options = next
      await payment?.refresh()
      emitter.emit('update-end')
    },
    on: (name, handler) => emitter.on(name, handler),
    async fetchUpdates() {
      const { clientSecret } = options
      if (!clientSecret) {
        throw new IntegrationError(
          'elements.fetchUpdates() needs an Elements group made with a clientSecret.',
        )
      }
      const { error } = await callController('retrievePaymentIntent', { publishableKey, clientSecret })
      return error ? { error: { message: error.message } } : {}
    },
    async submit() {
      const answer = await requirePayment().request('submit')
      submitted = !answer.error
      return answer
    },
  }
  internals.set(elements, {
    options: () => options,
    wasSubmitted: () => submitted,
    request: (operation, params) => requirePayment().request(operation, params),
  })
  return elements
}

function checkOptions({ clientSecret, mode, amount, currency }) {
  if (clientSecret !== undefined && mode !== undefined) {
    throw new IntegrationError('stripe.elements(): pass either clientSecret or mode, not both.')
  }
  if (clientSecret !== undefined) parseClientSecret('stripe.elements()', clientSecret)
  if (mode === undefined) return
  if (mode !== 'payment') throw notInStandIn(`stripe.elements() with mode '${mode}'`)
  if (!Number.isInteger(amount) || amount <= 0) {
    throw new IntegrationError(
      'stripe.elements(): with mode payment, amount must be a positive integer in minor units.',
    )
  }
  if (typeof currency !== 'string' || !/^[a-z]{3}$/.test(currency)) {
    throw new IntegrationError(
      'stripe.elements(): with mode payment, currency must be a three-letter lowercase code.',
    )
  }
}
