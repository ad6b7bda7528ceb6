/*
 * How the shop's page and a frame on Stripe's origin talk. Both ends are in this file; nothing else uses postMessage.
 *
 *   page  → frame window   { type: 'stripe-connect' } with one MessagePort, after the frame's load event
 *   frame → page (port)    { type: 'hello' }                        the frame took the port
 *   page  → frame (port)   { type: 'request', id, operation, params }
 *   frame → page (port)    { type: 'reply', id, result } or { type: 'reply', id, thrown: message }
 *   frame → page (port)    { type: 'event', name, detail }
 *
 * The page addresses the frame by Stripe's exact origin, so no other document can receive the port. The frame takes a
 * port only from its parent window, only from the shop's origin, and only once. After that nothing passes through
 * `window`, so other scripts on the page that listen for `message` see nothing. Requests name one operation from the frame's own list:
 * the page cannot make a frame fetch an address of its choice, and no operation gives card fields back.
 */

const CONNECT = 'stripe-connect'
const HELLO_TIMEOUT_MS = 15_000

/**
 * The page's end. Requests made before the frame has answered wait for it; requests lost with a reloaded or
 * removed frame are rejected, never repeated, because a repeated confirmation could charge twice.
 */
export function connectFrame(
  iframe,
  origin,
  { onHello = () => {}, onEvent = () => {}, onUnreachable = () => {} },
) {
  const pending = new Map()
  let port = null
  let lastId = 0
  let alarm = setTimeout(onUnreachable, HELLO_TIMEOUT_MS)

  const drop = (reason) => {
    for (const [id, request] of pending) {
      if (!request.sent) continue
      pending.delete(id)
      request.reject(new Error(reason))
    }
    port?.close()
    port = null
  }
  const send = (id, request) => {
    request.sent = true
    port.postMessage({ type: 'request', id, operation: request.operation, params: request.params })
  }
  const request = (operation, params) =>
    new Promise((resolve, reject) => {
      lastId += 1
      const entry = { operation, params, resolve, reject, sent: false }
      pending.set(lastId, entry)
      if (port) send(lastId, entry)
    })
  const receive = (ownPort, message) => {
    if (message.type === 'hello') {
      clearTimeout(alarm)
      port = ownPort
      onHello(request)
      for (const [id, entry] of pending) if (!entry.sent) send(id, entry)
    } else if (message.type === 'event') {
      onEvent(message.name, message.detail)
    } else if (message.type === 'reply') {
      const entry = pending.get(message.id)
      pending.delete(message.id)
      if ('thrown' in message) entry?.reject(new Error(message.thrown))
      else entry?.resolve(message.result)
    }
  }
  const connect = () => {
    drop('The frame was loaded again before it answered.')
    const channel = new MessageChannel()
    channel.port1.onmessage = ({ data }) => receive(channel.port1, data)
    iframe.contentWindow.postMessage({ type: CONNECT }, origin, [channel.port2])
  }

  iframe.addEventListener('load', connect)
  return {
    request,
    close(reason) {
      clearTimeout(alarm)
      alarm = undefined
      iframe.removeEventListener('load', connect)
      for (const entry of pending.values()) entry.sent = true
      drop(reason)
    },
  }
}

/** The frame's end: answers the listed operations and returns a function that emits events to the page once it is connected. */
export function acceptConnection(operations, onConnect = () => {}) {
  const shopOrigin = document.documentElement.dataset.appOrigin
  // People are sometimes faster than the load event: what they did before it must not get lost.
  const early = []
  let port = null

  const answer = async ({ id, operation, params }) => {
    if (!Object.hasOwn(operations, operation)) throw new Error(`Unknown operation: ${operation}`)
    port.postMessage({ type: 'reply', id, result: await operations[operation](params ?? {}) })
  }
  addEventListener('message', (event) => {
    const wanted = event.origin === shopOrigin && event.source === parent && event.data?.type === CONNECT
    if (!wanted || port || parent === window || !event.ports[0]) return
    port = event.ports[0]
    port.onmessage = ({ data }) => {
      if (data.type !== 'request') return
      answer(data).catch((error) => port.postMessage({ type: 'reply', id: data.id, thrown: error.message }))
    }
    port.postMessage({ type: 'hello' })
    for (const message of early) port.postMessage(message)
    onConnect()
  })
  return (name, detail) => {
    const message = { type: 'event', name, detail }
    if (port) port.postMessage(message)
    else early.push(message)
  }
}
