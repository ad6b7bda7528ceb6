import type { Metadata } from 'next'
import { notFound, redirect } from 'next/navigation'
import { Suspense } from 'react'
import { Receipt } from '@/components/payments/receipt'
import { PageLink } from '@/components/site/page-link'
import { ArrowLeftIcon } from '@/components/ui/icons'
import { PrintButton } from '@/components/ui/print-button'
import { requireUserOrSignIn, type User } from '@/lib/auth/session'
import { isAppError } from '@/lib/errors'
import { getOrder } from '@/lib/orders/get-order'
import { findStripeReceipt } from '@/lib/payments/find-stripe-receipt'
import { getPayment } from '@/lib/payments/get-payment'

export const metadata: Metadata = { title: 'Receipt' }

type ReceiptPageProps = { params: Promise<{ paymentId: string }> }

export default async function ReceiptPage({ params }: ReceiptPageProps) {
  const { paymentId } = await params
  const user = await requireUserOrSignIn(`/payments/${paymentId}/receipt`)
  const payment = await getPayment({ user, paymentId }).catch((error: unknown) => {
    if (isAppError(error, 'not_found')) notFound()
    throw error
  })
  if (payment.status !== 'succeeded') redirect(`/payments/${payment.id}`)
  const order = payment.orderId ? await getOrder({ user, orderId: payment.orderId }) : null

  return (
    <div className="column">
      <div className="-mt-4 mb-4 flex flex-wrap items-center justify-between gap-x-6 gap-y-2 print:hidden">
        <PageLink
          href={`/payments/${payment.id}`}
          className="-ml-1 inline-flex min-h-11 items-center gap-2 rounded px-1 text-14 text-ink-soft hover:text-ink"
        >
          <ArrowLeftIcon /> Payment
        </PageLink>
        <div className="flex flex-wrap items-center gap-x-4">
          <Suspense fallback={null}>
            <StripesReceipt user={user} paymentId={payment.id} />
          </Suspense>
          <PrintButton>Print or save as PDF</PrintButton>
        </div>
      </div>
      <Receipt payment={payment} order={order} />
    </div>
  )
}

/** Comes after the rest of the page: it has to be asked for at Stripe, which need not answer. */
async function StripesReceipt({ user, paymentId }: { user: User; paymentId: string }) {
  const address = await findStripeReceipt({ user, paymentId })
  if (!address) return null
  return (
    <a
      href={address}
      target="_blank"
      rel="noreferrer"
      className="text-link inline-flex min-h-11 items-center text-14"
    >
      Stripe’s receipt<span className="sr-only"> (opens in a new window)</span>
    </a>
  )
}
