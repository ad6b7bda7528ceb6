import { connectFrame } from '../shared/channel.js'
import { connectionError, IntegrationError } from './errors.js'

/** Where this script came from is where its frames and its API are. */
export const STRIPE_ORIGIN = new URL(document.currentScript.src).origin

let frameCount = 0

/** An iframe on Stripe's origin. Styles are set property by property: the shop's CSP forbids style attributes. */
export function createFrame({ kind, path, title, styles }) {
  frameCount += 1
  const iframe = document.createElement('iframe')
  iframe.name = `__privateStripe${kind}${frameCount}`
  iframe.title = title
  iframe.src = new URL(path, STRIPE_ORIGIN).href
  iframe.setAttribute('allowtransparency', 'true')
  Object.assign(
    iframe.style,
    { border: '0', margin: '0', padding: '0', display: 'block', width: '100%' },
    styles,
  )
  return iframe
}

let controller = null

/** Calls an operation of the hidden frame, which makes every API call that carries no card fields. */
export async function callController(operation, params) {
  if (!controller?.iframe.isConnected) controller = openController()
  try {
    return await controller.connection.request(operation, params)
  } catch {
    return { error: connectionError() }
  }
}

function openController() {
  if (!document.body) throw new IntegrationError('Stripe.js needs a <body> element before it can be used.')
  const iframe = createFrame({
    kind: 'Controller',
    path: '/frame/controller',
    title: 'Stripe controller',
    styles: { display: 'none' },
  })
  iframe.setAttribute('aria-hidden', 'true')
  iframe.tabIndex = -1
  const connection = connectFrame(iframe, STRIPE_ORIGIN, {
    onUnreachable() {
      connection.close('unreachable')
      iframe.remove()
    },
  })
  document.body.append(iframe)
  return { iframe, connection }
}
