import type { PaymentStatus } from './status'

export type PaymentSummary = {
  id: string
  orderId: string | null
  description: string
  status: PaymentStatus
  amountMinor: number
  /** How much of it went back. */
  refundedMinor: number
  currency: string
  card: { brand: string; last4: string } | null
  createdAt: string
}

export type TimelineEntry = { at: string; kind: string }

export type RefundView = { status: string; amountMinor: number; currency: string; createdAt: string }

export type DisputeView = { status: string; amountMinor: number; currency: string; createdAt: string }

export type PaymentDetail = PaymentSummary & {
  /** Short enough to read to somebody. */
  reference: string
  paidAt: string | null
  /** Why the last try failed, as far as the customer may know; null when there is nothing to tell. */
  failureHint: string | null
  timeline: TimelineEntry[]
  refunds: RefundView[]
  disputes: DisputeView[]
}
