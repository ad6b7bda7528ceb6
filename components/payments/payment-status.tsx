import { Status } from '@/components/ui/status'
import type { PaymentSummary } from '@/lib/payments/views'
import { PAYMENT_WORDS, REFUNDED_WORDS } from './status-words'

type PaymentStatusProps = {
  payment: Pick<PaymentSummary, 'status' | 'amountMinor' | 'refundedMinor'>
}

export function PaymentStatus({ payment: { status, amountMinor, refundedMinor } }: PaymentStatusProps) {
  if (status !== 'succeeded' || refundedMinor === 0) return <Status {...PAYMENT_WORDS[status]} />
  return <Status {...REFUNDED_WORDS[refundedMinor < amountMinor ? 'partly' : 'wholly']} />
}
