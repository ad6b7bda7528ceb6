import type { Rule } from '../chaos/rules.ts'
import type { Store } from '../core/store.ts'
import type { HeldEvent } from '../events/record.ts'
import type { KeyKind } from './authenticate.ts'

/** What caused a change, as events tell it. Both null: it happened by itself. */
export type Cause = { requestId: string | null; idempotencyKey: string | null }

/** One request that was admitted; all it does happens in the one transaction around it. */
export type Call = {
  store: Store
  cause: Cause
  key: KeyKind
  /** Faults the call asked for by its header `x-local-chaos`. */
  wishes: readonly Rule[]
  /** Events wait here until all of them are known, to be told in another order than they came about. */
  held?: HeldEvent[]
}

/** For what happens without a request: a job, a customer's answer to a challenge. */
export function automaticCall(store: Store): Call {
  return { store, cause: { requestId: null, idempotencyKey: null }, key: 'secret', wishes: [] }
}
