/** Event listeners of one object. A listener that throws is reported and does not stop the others. */
export function createEmitter() {
  const listeners = new Map()

  const add = (name, entry) => {
    if (typeof entry.handler !== 'function') throw new TypeError('The event handler must be a function.')
    listeners.set(name, [...(listeners.get(name) ?? []), entry])
  }
  return {
    on: (name, handler) => add(name, { handler, once: false }),
    once: (name, handler) => add(name, { handler, once: true }),
    off(name, handler) {
      const kept = handler ? (listeners.get(name) ?? []).filter((entry) => entry.handler !== handler) : []
      listeners.set(name, kept)
    },
    has: (name) => (listeners.get(name) ?? []).length > 0,
    emit(name, detail) {
      const current = listeners.get(name) ?? []
      listeners.set(
        name,
        current.filter((entry) => !entry.once),
      )
      for (const entry of current) {
        try {
          entry.handler(detail)
        } catch (error) {
          reportError(error)
        }
      }
    },
  }
}
