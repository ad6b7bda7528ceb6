import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import { OrderLines } from '@/components/orders/order-lines'
import { CheckoutForm } from '@/components/payments/checkout-form'
import { TestCards } from '@/components/payments/test-cards'
import { ArrowLeftIcon, LockIcon } from '@/components/ui/icons'
import { PageHeader } from '@/components/ui/page-header'
import { Panel } from '@/components/ui/panel'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { isAppError } from '@/lib/errors'
import { findRequestedOrder } from '@/lib/orders/find-requested-order'
import { getOrder } from '@/lib/orders/get-order'
import { publicConfig } from '@/lib/public-env'

export const metadata: Metadata = { title: 'Checkout' }

type CheckoutPageProps = { params: Promise<{ orderId: string }> }

export default async function CheckoutPage({ params }: CheckoutPageProps) {
  const { orderId } = await params
  const user = await requireUserOrSignIn(`/checkout/${orderId}`)
  const order = await getOrder({ user, orderId }).catch(async (error: unknown) => {
    if (isAppError(error, 'not_found')) return await findRequestedOrder({ user, orderId })
    throw error
  })
  if (!order) notFound()
  if (order.status !== 'open' || order.waitsForClaim) redirect(`/orders/${order.id}`)

  const { mode, stripePublishableKey, stripeJsUrl } = publicConfig()
  return (
    <div className="column">
      <a
        href={`/orders/${order.id}`}
        className="-mt-4 mb-2 -ml-1 inline-flex min-h-11 items-center gap-2 rounded px-1 text-14 text-ink-soft hover:text-ink"
      >
        <ArrowLeftIcon /> Your order
      </a>
      <PageHeader title="Pay for your order" />
      <Panel aria-label="Order" className="px-4 pt-2 pb-5 sm:px-6">
        <OrderLines order={order} />
      </Panel>
      <Panel aria-labelledby="card" className="mt-6 px-4 py-5 sm:px-6">
        <h2 id="card" className="mb-4 text-20">
          Your card
        </h2>
        <CheckoutForm
          orderId={order.id}
          amountMinor={order.totalMinor}
          currency={order.currency}
          stripe={{ stripePublishableKey, stripeJsUrl }}
        />
        <p className="mt-4 flex items-start gap-2 text-13 text-ink-soft">
          <LockIcon className="mt-0.5 shrink-0" />
          Your card details go straight to {mode === 'sandbox' ? 'the local stand-in for Stripe' : 'Stripe'}.
          We never see them.
        </p>
      </Panel>
      {mode === 'sandbox' && <TestCards />}
    </div>
  )
}
