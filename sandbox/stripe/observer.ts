import type Stripe from 'stripe'
import type { KeyKind } from './http/authenticate.ts'

/** Sees everything this server says, and changes none of it: the place for checks in tests. */
export type Observer = {
  response(answer: ObservedResponse): void
  event(event: Stripe.Event): void
  /** What it has to say so far, for `GET /_local/contract`. */
  report?(): Record<string, unknown> | Promise<Record<string, unknown>>
}

export type ObservedResponse = {
  method: string
  /** The operation's, e.g. `/v1/refunds/:id`; null when the request was refused before one was found. */
  path: string | null
  status: number
  /** The JSON as sent. */
  body: string
  key: KeyKind
}
