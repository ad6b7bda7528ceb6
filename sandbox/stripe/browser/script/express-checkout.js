import { createEmitter } from './emitter.js'

/** The Express Checkout Element. There are no wallets here, so it says that it has none and shows nothing. */
export function createExpressCheckout(onDestroy) {
  const emitter = createEmitter()
  const element = {
    mount() {
      // Wrappers attach their handlers after they mounted the element.
      setTimeout(() => {
        emitter.emit('ready', { elementType: 'expressCheckout', availablePaymentMethods: undefined })
      })
    },
    unmount() {},
    destroy: () => onDestroy(),
    update: () => element,
    focus: () => element,
    blur: () => element,
    clear: () => element,
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
  return { element, type: 'expressCheckout', refresh() {} }
}
