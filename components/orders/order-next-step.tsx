import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { Notice } from '@/components/ui/notice'
import { formatMoney } from '@/lib/money'
import type { OrderView } from '@/lib/orders/get-order'
import { ClaimForm } from './claim-form'
import { ORDER_WORDS } from './order-words'

/** What there is to do about an order: pay it, or look at how it ended. */
export function OrderNextStep({ order }: { order: OrderView }) {
  if (order.status === 'open') {
    const pay = `Pay ${formatMoney(order.totalMinor, order.currency)}`
    // A plain link on purpose: checkout is always a fresh document, with a security policy of its own.
    return (
      <div className="mt-6 flex flex-col gap-3 sm:flex-row-reverse sm:items-center sm:justify-between">
        {order.waitsForClaim ? (
          <ClaimForm orderId={order.id}>{pay}</ClaimForm>
        ) : (
          <a href={`/checkout/${order.id}`} className={buttonLook('primary', 'sm:min-w-40')}>
            {pay}
          </a>
        )}
        <p className="text-14 text-ink-soft">
          {order.payment?.status === 'processing'
            ? 'A payment for this order is on its way.'
            : 'You enter your card on the next page.'}
        </p>
      </div>
    )
  }
  const { tone, explanation } = ORDER_WORDS[order.status]
  return (
    <Notice
      className="mt-6"
      tone={tone}
      action={
        order.payment ? (
          <PageLink href={`/payments/${order.payment.id}`} className={buttonLook()}>
            See the payment
          </PageLink>
        ) : (
          <PageLink href="/" className={buttonLook()}>
            Go to the catalogue
          </PageLink>
        )
      }
    >
      {explanation}
    </Notice>
  )
}
