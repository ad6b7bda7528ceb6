import { assertSubmitted, withCollected } from './confirm-intent.js'
import { elementsInternals } from './elements.js'
import { IntegrationError, notInStandIn } from './errors.js'

/** `stripe.createPaymentMethod({ elements, params })`. */
export async function createPaymentMethod(publishableKey, { elements, params = {}, ...rest } = {}) {
  const caller = 'stripe.createPaymentMethod()'
  if (!elements) throw notInStandIn(`${caller} without \`elements\` ('${rest.type ?? 'element'}')`)
  const group = elementsInternals(caller, elements)
  if (group.options().paymentMethodCreation !== 'manual') {
    throw new IntegrationError(
      `${caller}: stripe.elements() needs paymentMethodCreation: 'manual' for payment methods to be created by the page.`,
    )
  }
  assertSubmitted(caller, group)
  const collected = await group.collect()
  if (collected.error) return collected
  const { payment_method_data } = withCollected({ payment_method_data: params }, collected, false)
  return group.request('createPaymentMethod', { publishableKey, params: payment_method_data })
}

/** `stripe.createConfirmationToken({ elements, params })`: the server confirms with it. */
export async function createConfirmationToken(publishableKey, { elements, params = {} } = {}) {
  const caller = 'stripe.createConfirmationToken()'
  const group = elementsInternals(caller, elements)
  assertSubmitted(caller, group)
  const collected = await group.collect()
  if (collected.error) return collected
  const { mode, setupFutureUsage, setup_future_usage } = group.options()
  const usage = mode === 'setup' ? undefined : (setupFutureUsage ?? setup_future_usage ?? undefined)
  const complete = { setup_future_usage: usage, ...withCollected(params, collected, mode !== 'setup') }
  return group.request('createConfirmationToken', { publishableKey, params: complete })
}
