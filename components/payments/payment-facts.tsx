import { PageLink } from '@/components/site/page-link'
import { CopyId } from '@/components/ui/copy-id'
import { Instant } from '@/components/ui/instant'
import { Facts } from '@/components/ui/panel'
import type { PaymentDetail } from '@/lib/payments/views'
import { CardLabel } from './card-label'

/** What is known about one payment besides its amount and state. */
export function PaymentFacts({ payment }: { payment: PaymentDetail }) {
  const facts = [
    { term: 'Reference', value: <CopyId value={payment.reference} label="payment reference" /> },
    payment.orderId && {
      term: 'Order',
      value: (
        <PageLink
          href={`/orders/${payment.orderId}`}
          className="text-link inline-flex min-h-11 items-center -my-2"
        >
          See what was ordered
        </PageLink>
      ),
    },
    {
      term: 'Card',
      value: payment.card ? (
        <CardLabel card={payment.card} />
      ) : (
        <span className="text-ink-soft">None yet</span>
      ),
    },
    { term: 'Started', value: <Instant at={payment.createdAt} /> },
    payment.paidAt && { term: 'Paid', value: <Instant at={payment.paidAt} /> },
    payment.status === 'succeeded' && {
      term: 'Receipt',
      value: (
        <PageLink
          href={`/payments/${payment.id}/receipt`}
          className="text-link inline-flex min-h-11 items-center -my-2"
        >
          See and print
        </PageLink>
      ),
    },
  ]
  return <Facts facts={facts.filter((fact) => typeof fact === 'object' && fact !== null)} />
}
