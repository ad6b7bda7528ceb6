import { parseClientSecret } from './client-secret.js'
import { createEmitter } from './emitter.js'
import { IntegrationError, notInStandIn } from './errors.js'
import { createExpressCheckout } from './express-checkout.js'
import { createFramedElement } from './framed-element.js'
import { callController } from './frames.js'

/** What the methods of Stripe.js need from an Elements object and its users must not see. */
const internals = new WeakMap()

const FRAMED = {
  payment: {
    type: 'payment',
    path: '/frame/payment',
    title: 'Secure payment input frame',
    firstHeightPx: 272,
  },
  address: {
    type: 'address',
    path: '/frame/address',
    title: 'Secure address input frame',
    firstHeightPx: 460,
  },
  linkAuthentication: {
    type: 'linkAuthentication',
    path: '/frame/link-authentication',
    title: 'Secure email input frame',
    firstHeightPx: 80,
  },
}

const MODES = ['payment', 'setup', 'subscription']

export function elementsInternals(caller, elements) {
  const found = internals.get(elements)
  if (!found) throw new IntegrationError(`${caller}: expected \`elements\` to be an Elements instance.`)
  return found
}

/** `stripe.elements()`: with a client secret, or deferred with a mode and what it needs. */
export function createElements(publishableKey, firstOptions = {}) {
  checkOptions(firstOptions)
  const emitter = createEmitter()
  const slots = new Map()
  let options = { ...firstOptions }
  let submitted = false

  const group = {
    frameOptions: () => ({
      publishableKey,
      clientSecret: options.clientSecret,
      customerSessionClientSecret: options.customerSessionClientSecret,
      mode: options.mode,
      setupFutureUsage: options.setupFutureUsage ?? options.setup_future_usage,
      asksBillingAddress: slots.has('address:billing'),
      appearance: options.appearance,
    }),
  }
  const refresh = () => Promise.all([...slots.values()].map((slot) => slot.refresh()))
  const requirePayment = () => {
    const payment = slots.get('payment')
    if (!payment)
      throw new IntegrationError('The Elements group has no Payment Element. Create and mount one first.')
    return payment
  }
  const createIn = (name, type, elementOptions) => {
    const onDestroy = () => {
      slots.delete(name)
      if (name === 'address:billing') slots.get('payment')?.refresh()
    }
    if (type === 'expressCheckout') return createExpressCheckout(onDestroy)
    return createFramedElement(FRAMED[type], group, elementOptions, onDestroy)
  }

  const elements = {
    create(type, elementOptions = {}) {
      const name = slotName(type, elementOptions)
      if (slots.has(name)) throw new IntegrationError(`Can only create one Element of type ${type}.`)
      if (type === 'payment' && !options.clientSecret && !options.mode) {
        throw new IntegrationError(
          'Pass a clientSecret or a mode to stripe.elements() before creating a Payment Element.',
        )
      }
      const slot = createIn(name, type, elementOptions)
      // Only the Address Element has a value that pages may ask for.
      if (type === 'address') slot.element.getValue = () => slot.request('getValue')
      slots.set(name, slot)
      if (name === 'address:billing') slots.get('payment')?.refresh()
      return slot.element
    },
    getElement(type, { mode } = {}) {
      const names = type === 'address' ? ['address:billing', 'address:shipping'] : [type]
      const found = names.find((name) => slots.has(name) && (!mode || name.endsWith(mode)))
      return found ? slots.get(found).element : null
    },
    async update(changes) {
      const next = { ...options, ...changes }
      checkOptions(next)
      options = next
      await refresh()
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
      const { error } = await callController('retrieveIntent', { publishableKey, clientSecret })
      return error ? { error: { message: error.message } } : {}
    },
    async submit() {
      const answer = await requirePayment().request('submit')
      const collected = answer.error ? answer : await collect(slots)
      submitted = !collected.error
      return collected.error ? { error: collected.error } : answer
    },
  }
  internals.set(elements, {
    options: () => options,
    wasSubmitted: () => submitted,
    request: (operation, params) => requirePayment().request(operation, params),
    /** What the other elements of the group ask for: `{ shipping, billing }`, each perhaps missing, or `{ error }`. */
    collect: () => collect(slots),
  })
  return elements
}

/** A group has one element of a type, but an Address Element for each of its modes. */
function slotName(type, { mode, display }) {
  if (type === 'expressCheckout' || (Object.hasOwn(FRAMED, type) && type !== 'address')) return type
  if (type !== 'address') throw notInStandIn(`The '${type}' Element`)
  if (mode !== 'billing' && mode !== 'shipping') {
    throw new IntegrationError("elements.create('address'): mode must be 'billing' or 'shipping'.")
  }
  if (display?.name && display.name !== 'full') {
    throw notInStandIn(`The Address Element with display.name '${display.name}'`)
  }
  return `address:${mode}`
}

async function collect(slots) {
  const collected = {}
  for (const [name, slot] of slots) {
    if (name !== 'linkAuthentication' && slot.type !== 'address') continue
    const { error } = await slot.request('submit')
    if (error) return { error }
    const given = await slot.request('getValue')
    if (name === 'linkAuthentication') collected.billing = { ...collected.billing, email: given.email }
    else if (name === 'address:shipping') collected.shipping = given.value
    else collected.billing = { ...collected.billing, ...given.value }
  }
  return collected
}

function checkOptions({ clientSecret, mode, amount, currency, customerSessionClientSecret: session }) {
  if (clientSecret !== undefined && mode !== undefined) {
    throw new IntegrationError('stripe.elements(): pass either clientSecret or mode, not both.')
  }
  if (clientSecret !== undefined) parseClientSecret('stripe.elements()', clientSecret)
  if (session !== undefined && !(typeof session === 'string' && session.startsWith('cuss_secret_'))) {
    throw new IntegrationError(
      'stripe.elements(): customerSessionClientSecret should be the client secret of a CustomerSession.',
    )
  }
  if (mode === undefined) return
  if (!MODES.includes(mode)) {
    throw new IntegrationError(`stripe.elements(): mode must be one of ${MODES.join(', ')}.`)
  }
  if (mode !== 'setup' && !(Number.isInteger(amount) && amount >= (mode === 'payment' ? 1 : 0))) {
    throw new IntegrationError(
      `stripe.elements(): with mode ${mode}, amount must be a positive integer in minor units.`,
    )
  }
  const needed = mode !== 'setup' || currency !== undefined
  if (needed && (typeof currency !== 'string' || !/^[a-z]{3}$/.test(currency))) {
    throw new IntegrationError(
      `stripe.elements(): with mode ${mode}, currency must be a three-letter lowercase code.`,
    )
  }
}
