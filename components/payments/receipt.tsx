import { OrderLines } from '@/components/orders/order-lines'
import { Instant } from '@/components/ui/instant'
import { Money } from '@/components/ui/money'
import { Facts, Panel } from '@/components/ui/panel'
import type { OrderView } from '@/lib/orders/get-order'
import type { PaymentDetail } from '@/lib/payments/views'
import { CardLabel } from './card-label'

type ReceiptProps = { payment: PaymentDetail; order: OrderView | null }

/** What was paid, for whom it concerns: on screen and on paper alike. */
export function Receipt({ payment, order }: ReceiptProps) {
  const { amountMinor, refundedMinor, currency } = payment
  const money = (minor: number) => <Money amountMinor={minor} currency={currency} />
  return (
    <Panel
      aria-labelledby="receipt"
      className="px-4 pt-6 pb-4 sm:px-8 print:border-0 print:p-0 print:shadow-none"
    >
      <div className="mb-6 flex flex-wrap items-baseline justify-between gap-x-6">
        <h1 id="receipt" className="text-28">
          Receipt
        </h1>
        <p className="text-16 font-semibold">Paywright</p>
      </div>
      {order && (
        <div className="mb-6">
          <OrderLines order={order} />
        </div>
      )}
      <Facts
        facts={[
          { term: 'Reference', value: payment.reference },
          { term: order ? 'Order' : 'For', value: order?.reference ?? payment.description },
          ...(payment.paidAt ? [{ term: 'Paid on', value: <Instant at={payment.paidAt} /> }] : []),
          ...(payment.card ? [{ term: 'Paid with', value: <CardLabel card={payment.card} /> }] : []),
          { term: 'Paid', value: <span className="font-semibold">{money(amountMinor)}</span> },
          ...(refundedMinor > 0
            ? [
                { term: 'Refunded', value: money(-refundedMinor) },
                {
                  term: 'Left',
                  value: <span className="font-semibold">{money(amountMinor - refundedMinor)}</span>,
                },
              ]
            : []),
        ]}
      />
    </Panel>
  )
}
