import { Status } from '@/components/ui/status'
import type { PaymentStatus as PaymentState } from '@/lib/payments/status'
import { PAYMENT_WORDS } from './status-words'

export function PaymentStatus({ status }: { status: PaymentState }) {
  return <Status {...PAYMENT_WORDS[status]} />
}
