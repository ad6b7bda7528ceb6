// What the model keeps of Stripe's objects: only what our code could see.

/** What a movement came to on the balance; the fee is not yet taken off. */
export type Settled = { id: string; amount: number; fee: number; currency: string }

/** The states an object was in, oldest first; the last one is its status. */
export type WithHistory = { history: string[] }

export type ModelIntent = WithHistory & {
  id: string
  createdMs: number
  status:
    | 'requires_payment_method'
    | 'requires_action'
    | 'processing'
    | 'requires_capture'
    | 'succeeded'
    | 'canceled'
  amount: number
  amountReceived: number
  currency: string
  customer: string | null
  metadata: Record<string, string>
  captureMethod: 'automatic' | 'manual'
  madeBy: 'app' | 'dashboard' | 'invoice'
  lastError: { code: string; decline_code?: string } | null
  charges: ModelCharge[]
}

export type ModelCharge = {
  id: string
  intentId: string
  status: 'succeeded' | 'failed'
  isCaptured: boolean
  amount: number
  amountCaptured: number
  currency: string
  declineCode: string | null
  last4: string
  /** Null until the fee is known. */
  settled: Settled | null
  /** Then no event says so. */
  isSettledAtOnce: boolean
}

export type RefundStatus = 'pending' | 'succeeded' | 'failed' | 'canceled'

export type ModelRefund = WithHistory & {
  id: string
  intentId: string
  status: RefundStatus
  amount: number
  currency: string
  metadata: Record<string, string>
  madeBy: 'app' | 'dashboard'
  settled: Settled | null
  failureSettled: Settled | null
}

export type ModelDispute = WithHistory & {
  id: string
  intentId: string
  status: 'warning_needs_response' | 'warning_closed' | 'needs_response' | 'under_review' | 'won' | 'lost'
  amount: number
  currency: string
  reason: string
  settled: Settled[]
}

/** The charge that paid, or that holds the money until it is captured. */
export function payingCharge(intent: ModelIntent): ModelCharge | undefined {
  return intent.charges.find((charge) => charge.status === 'succeeded')
}

/** An inquiry takes no money, and one that is over holds none back. */
export function isBlocking(dispute: ModelDispute): boolean {
  return ['needs_response', 'under_review', 'lost'].includes(dispute.status)
}

export function moveTo<Status extends string>(
  object: WithHistory & { status: Status },
  status: Status,
): void {
  object.status = status
  object.history.push(status)
}
