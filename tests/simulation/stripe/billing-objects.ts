import type { WithHistory } from './objects'

// What the model keeps of what Stripe bills: one price a subscription. Times are in seconds, as Stripe tells them.

export type ModelPrice = { id: string; amount: number; currency: string }

export type ModelSession = WithHistory & {
  id: string
  status: 'open' | 'complete' | 'expired'
  customer: string
  price: string
  metadata: Record<string, string>
  /** Null until it is complete. */
  subscriptionId: string | null
  expiresAt: number
  /** Somebody was sent to it: nobody finds it otherwise. */
  isShown: boolean
}

export type ModelSubscription = WithHistory & {
  id: string
  status: 'incomplete' | 'incomplete_expired' | 'active' | 'past_due' | 'unpaid' | 'canceled'
  customer: string
  price: string
  createdAt: number
  periodEnd: number
  cancelAt: number | null
  endedAt: number | null
  /** How much Stripe had to tell by then: seconds do not tell which of two came first. */
  beganAfter: number
  endedAfter: number | null
  latestInvoice: string | null
  /** How often our code has ended it. */
  endedByApp: number
}

export type ModelInvoice = WithHistory & {
  id: string
  subscriptionId: string
  status: 'draft' | 'open' | 'paid' | 'void'
  reason: 'subscription_create' | 'subscription_cycle'
  amount: number
  currency: string
  /** Null while it is a draft. */
  intentId: string | null
  /** How often a payment of it was tried in vain. */
  failures: number
  firstFailedAt: number | null
}

/** It is there, paid for or owed for. */
export function isLive({ status }: ModelSubscription): boolean {
  return status === 'active' || status === 'past_due' || status === 'unpaid'
}

export function hasEnded({ status }: ModelSubscription): boolean {
  return status === 'canceled' || status === 'incomplete_expired'
}

export function nowInSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
