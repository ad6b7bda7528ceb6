// Loaded into a server with NODE_OPTIONS=--import: lets a request ask for a failure that no input can bring about. The header
// x-test-fail names the place, x-test-secret is what the error says.
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'

const asked = new AsyncLocalStorage()

subscribe('http.server.request.start', ({ request }) => {
  const place = request.headers['x-test-fail']
  if (!place) return
  const secret = String(request.headers['x-test-secret'])
  const error = () =>
    Object.assign(new Error(`${secret}\n    at ${secret} (x.ts:1:1)`, { cause: new Error(secret) }), {
      detail: secret,
    })
  // A route fails once more while it answers that it has failed.
  asked.enterWith({ place, error, left: place === 'route' ? 2 : 1 })
  if (place === 'exception')
    setImmediate(() => {
      throw error()
    })
  if (place === 'rejection') void Promise.reject(error())
  if (place === 'print') {
    console.error('A library says: %s', secret, error())
    console.log(`Somebody@example: "${secret}"`)
    process.stderr.write(`to stderr: ${secret}\nand ${secret}\n`)
    process.emitWarning(secret)
  }
})

/** Fails in `place` whenever `owner[name]` is used there. */
function failing(owner, name, place) {
  const actual = owner[name]
  owner[name] = function (...args) {
    const current = asked.getStore()
    if (current?.place === place && current.left-- > 0) throw current.error()
    return new.target ? Reflect.construct(actual, args) : Reflect.apply(actual, this, args)
  }
  owner[name].prototype = actual.prototype
}

// Pages format money; route handlers answer with this, and again when they fail; actions take their fields apart.
failing(Intl, 'NumberFormat', 'page')
failing(Response, 'json', 'route')
failing(FormData.prototype, Symbol.iterator, 'action')
