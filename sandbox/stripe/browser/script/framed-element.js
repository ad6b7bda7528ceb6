import { connectFrame } from '../shared/channel.js'
import { createEmitter } from './emitter.js'
import { connectionError, IntegrationError } from './errors.js'
import { createFrame, STRIPE_ORIGIN } from './frames.js'

const UNMOUNTED =
  'We could not retrieve data from the specified Element. Please make sure the Element you are attempting to use is still mounted.'
// The frame keeps this much room around its fields for their focus rings; the fields stay in line with the page.
const RING_PX = 4

/**
 * An element whose fields live in a frame; this side owns the frame's life and passes events on. `group` gives the key and the current
 * Elements options; `onDestroy` frees the group's slot for a new element.
 */
export function createFramedElement({ type, path, title, firstHeightPx }, group, firstOptions, onDestroy) {
  const emitter = createEmitter()
  let options = { ...firstOptions }
  let mounted = null
  let destroyed = false

  const fail = (error) => {
    if (!emitter.has('loaderror')) console.error(`Unhandled ${type} Element loaderror`, error)
    emitter.emit('loaderror', { elementType: type, error })
  }
  const start = async (request) => {
    emitter.emit('loaderstart', { elementType: type })
    const answer = await request('init', { ...group.frameOptions(), options }).catch(() => null)
    if (answer?.error) fail(answer.error)
    else if (answer) emitter.emit('ready', { elementType: type })
  }
  const onFrameEvent = (iframe, name, detail) => {
    if (name === 'resize') iframe.style.height = `${detail.heightPx}px`
    else emitter.emit(name, { elementType: type, ...detail })
  }
  const open = (container) => {
    const iframe = createFrame({
      kind: 'Frame',
      path,
      title,
      styles: {
        height: `${firstHeightPx}px`,
        margin: `-${RING_PX}px`,
        width: `calc(100% + ${2 * RING_PX}px)`,
        colorScheme: 'normal',
      },
    })
    const connection = connectFrame(iframe, STRIPE_ORIGIN, {
      onHello: start,
      onEvent: (name, detail) => onFrameEvent(iframe, name, detail),
      onUnreachable: () => fail(connectionError()),
    })
    container.classList.add('StripeElement')
    container.replaceChildren(iframe)
    return { container, iframe, connection }
  }
  const assertAlive = () => {
    if (destroyed) {
      throw new IntegrationError('This Element has already been destroyed. Please create a new one.')
    }
  }
  const request = async (operation, params) => {
    if (!mounted) throw new IntegrationError(UNMOUNTED)
    return mounted.connection.request(operation, params).catch((error) => {
      throw new IntegrationError(mounted ? error.message : UNMOUNTED)
    })
  }
  /** For calls whose answer nobody waits for: before mounting, or while unmounting, they do nothing. */
  const tell = (operation, params) => {
    mounted?.connection.request(operation, params).catch(() => {})
  }

  const element = {
    mount(target) {
      assertAlive()
      const container = typeof target === 'string' ? document.querySelector(target) : target
      if (!(container instanceof Element)) {
        throw new IntegrationError(
          'Invalid DOM element or selector. Make sure to call element.mount() with a valid DOM element or selector.',
        )
      }
      if (mounted?.container === container) return
      element.unmount()
      mounted = open(container)
    },
    unmount() {
      if (!mounted) return
      const { container, iframe, connection } = mounted
      mounted = null
      connection.close(UNMOUNTED)
      iframe.remove()
      container.classList.remove('StripeElement')
    },
    destroy() {
      assertAlive()
      element.unmount()
      destroyed = true
      onDestroy()
    },
    update(changes) {
      options = { ...options, ...changes }
      tell('update', { options })
      return element
    },
    focus() {
      // Focusing an iframe that has the focus already would take it from the field inside.
      if (document.activeElement !== mounted?.iframe) mounted?.iframe.focus()
      tell('focus')
      return element
    },
    blur() {
      mounted?.iframe.blur()
      tell('blur')
      return element
    },
    clear() {
      tell('clear')
      return element
    },
    // One payment method fills the whole element, so there is nothing to fold away.
    collapse: () => element,
    on(name, handler) {
      emitter.on(name, handler)
      return element
    },
    once(name, handler) {
      emitter.once(name, handler)
      return element
    },
    off(name, handler) {
      emitter.off(name, handler)
      return element
    },
  }
  return {
    element,
    type,
    options: () => options,
    request,
    refresh: () => mounted && request('update', group.frameOptions()),
  }
}
