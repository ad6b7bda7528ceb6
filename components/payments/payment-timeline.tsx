import { classNames } from '@/components/ui/class-names'
import { Instant } from '@/components/ui/instant'
import type { PaymentDetail } from '@/lib/payments/views'

const LABELS: Readonly<Record<string, string>> = {
  'payment.opened': 'Payment started',
  'payment.unknown': 'Waiting for an answer from Stripe',
  'payment.next_attempt': 'Asked Stripe once more',
  'payment.requires_payment_method': 'Waiting for a card',
  'payment.requires_confirmation': 'Waiting for your confirmation',
  'payment.requires_action': 'Your bank asked you to confirm',
  'payment.processing': 'Your bank is working on it',
  'payment.requires_capture': 'Amount reserved on the card',
  'payment.failed_attempt': 'A try did not go through',
  'payment.succeeded': 'Paid',
  'payment.canceled': 'Cancelled',
  'refund.pending': 'Refund on its way',
  'refund.succeeded': 'Refunded',
  'refund.failed': 'The refund did not go through',
  'refund.canceled': 'Refund cancelled',
  'dispute.needs_response': 'Disputed with the bank',
  'dispute.under_review': 'The bank looks into it',
  'dispute.won': 'Dispute closed: the payment stands',
  'dispute.lost': 'Dispute closed: the money went back',
}

const DOTS: Readonly<Record<string, string>> = {
  'payment.succeeded': 'border-good bg-good',
  'payment.failed_attempt': 'border-bad bg-raised',
}

/** What happened to a payment, oldest first. */
export function PaymentTimeline({ timeline }: Pick<PaymentDetail, 'timeline'>) {
  return (
    <ol className="text-14">
      {timeline.map(({ at, kind }, index) => (
        <li key={`${at} ${kind}`} className="relative flex gap-4 pb-5 last:pb-0">
          {index < timeline.length - 1 && (
            <span aria-hidden="true" className="absolute top-4 bottom-[-5px] left-[4.5px] w-px bg-line" />
          )}
          <span
            aria-hidden="true"
            className={classNames(
              'dot mt-[6px] size-2.5 shrink-0 rounded-full border-2',
              DOTS[kind] ?? 'border-line-strong bg-raised',
            )}
          />
          <div className="flex min-w-0 flex-1 flex-col justify-between gap-x-6 sm:flex-row">
            <span>{LABELS[kind] ?? 'Updated'}</span>
            <Instant at={at} precise className="text-13 whitespace-nowrap tabular-nums text-ink-soft" />
          </div>
        </li>
      ))}
    </ol>
  )
}
