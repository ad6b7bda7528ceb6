/** One limit: at most `limit` in `seconds`, counted apart for everybody that `by` tells apart. */
export type Limit = {
  limit: number
  seconds: number
  /**
   * `fixed` counts in windows that begin at multiples of their length: cheap, and twice the limit can pass around an edge.
   * `rolling` holds over any stretch of that length, to the request.
   */
  window: 'fixed' | 'rolling'
  /** A trusted address, a signed-in person, the e-mail address a form names, or the token of an API key. */
  by: 'address' | 'person' | 'account' | 'token'
  /** While no proxy is trusted, all addresses are one: how much that one may. A hundred times the limit if not said. */
  shared?: number
  /** What went well is given back: only failures use it up. */
  counts?: 'failures'
}

/** Every limit there is. lib/edge/route-table.ts says where each holds. */
export const LIMITS = {
  pages: { limit: 600, seconds: 60, window: 'fixed', by: 'address' },
  /** A result page asks once or twice a second, and a household shares an address. */
  reads: { limit: 600, seconds: 60, window: 'fixed', by: 'address' },
  'read-burst': { limit: 60, seconds: 1, window: 'fixed', by: 'address' },
  writes: { limit: 60, seconds: 60, window: 'fixed', by: 'address' },
  'write-burst': { limit: 30, seconds: 1, window: 'fixed', by: 'address' },
  /** Whatever a page's form does. Actions can be sent to any page's address, so forms are told by their method. */
  forms: { limit: 20, seconds: 60, window: 'fixed', by: 'address' },
  'csp-reports': { limit: 30, seconds: 60, window: 'fixed', by: 'address', shared: 300 },

  // Each of these asks Auth and Stripe: one person must not use up what is there for all.
  starting: { limit: 60, seconds: 60, window: 'fixed', by: 'person' },
  syncing: { limit: 30, seconds: 60, window: 'fixed', by: 'person' },
  refunding: { limit: 120, seconds: 60, window: 'fixed', by: 'person' },
  canceling: { limit: 30, seconds: 60, window: 'fixed', by: 'person' },
  exporting: { limit: 10, seconds: 60, window: 'fixed', by: 'person' },
  leaving: { limit: 10, seconds: 60, window: 'fixed', by: 'person' },
  cards: { limit: 60, seconds: 60, window: 'fixed', by: 'person' },
  /** A history as CSV may be long. */
  'csv-exports': { limit: 20, seconds: 3600, window: 'fixed', by: 'person' },
  /** Each asks Stripe for a page. */
  subscribing: { limit: 30, seconds: 60, window: 'fixed', by: 'person' },
  ordering: { limit: 20, seconds: 60, window: 'fixed', by: 'person' },

  /** Whatever staff look at and do, refunds included. */
  staffing: { limit: 240, seconds: 60, window: 'fixed', by: 'person' },

  // Other systems send from few addresses, and wait for nobody's click.
  'api-address': { limit: 600, seconds: 60, window: 'fixed', by: 'address' },
  'api-key': { limit: 120, seconds: 60, window: 'fixed', by: 'token' },

  'new-payments': { limit: 10, seconds: 60, window: 'rolling', by: 'person' },
  'new-payments-address': { limit: 10, seconds: 60, window: 'rolling', by: 'address', shared: 6000 },

  'new-cards': { limit: 10, seconds: 3600, window: 'rolling', by: 'person' },
  'new-cards-address': { limit: 20, seconds: 3600, window: 'rolling', by: 'address' },

  'sign-in': { limit: 5, seconds: 900, window: 'rolling', by: 'account', counts: 'failures' },
  'sign-in-address': { limit: 10, seconds: 300, window: 'rolling', by: 'address', counts: 'failures' },
  'sign-up': { limit: 5, seconds: 3600, window: 'rolling', by: 'account' },
  'sign-up-address': { limit: 20, seconds: 3600, window: 'rolling', by: 'address' },
  recovery: { limit: 5, seconds: 3600, window: 'rolling', by: 'account' },
  'recovery-address': { limit: 20, seconds: 3600, window: 'rolling', by: 'address' },
  'mail-links': { limit: 20, seconds: 600, window: 'rolling', by: 'address' },
  'new-passwords': { limit: 5, seconds: 900, window: 'rolling', by: 'person' },
} as const satisfies Record<string, Limit>

export type LimitName = keyof typeof LIMITS
