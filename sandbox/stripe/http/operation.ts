import type { Call } from './call.ts'
import type { Params, ReadParams } from './params.ts'

/** One address of the API. `path` holds at most one `:id` and one `:child`. */
export type Operation = {
  method: 'GET' | 'POST' | 'DELETE'
  path: string
  params: Params
  /** Whether a browser may call it with a publishable key. */
  publishable: boolean
  /** Of an address that only Stripe.js calls: the SDK's operation that answers the same, null when there is none. */
  contract?: { method: string; path: string } | null
  handle(call: Call, params: ReadParams<Params>, ids: PathIds): unknown
}

export type PathIds = { id: string; child: string }

/** Ties the types of `params` to what `handle` gets. */
export function operation<P extends Params>(definition: {
  method: Operation['method']
  path: string
  params: P
  publishable?: boolean
  contract?: Operation['contract']
  handle(call: Call, params: ReadParams<P>, ids: PathIds): unknown
}): Operation {
  return {
    ...definition,
    publishable: definition.publishable ?? false,
    // The dispatcher reads the parameters with this operation's own `params` just before.
    handle: (call, params, ids) => definition.handle(call, params as ReadParams<P>, ids),
  }
}
