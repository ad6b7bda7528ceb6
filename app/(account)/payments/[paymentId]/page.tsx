import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { declineWords } from '@/components/payments/decline-words'
import { LivePayments } from '@/components/payments/live-payments'
import { MoneyBack } from '@/components/payments/money-back'
import { PaymentFacts } from '@/components/payments/payment-facts'
import { PaymentStatus } from '@/components/payments/payment-status'
import { PaymentTimeline } from '@/components/payments/payment-timeline'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { ArrowLeftIcon } from '@/components/ui/icons'
import { Money } from '@/components/ui/money'
import { Notice } from '@/components/ui/notice'
import { PageHeader } from '@/components/ui/page-header'
import { Panel } from '@/components/ui/panel'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { isAppError } from '@/lib/errors'
import { getPayment } from '@/lib/payments/get-payment'
import type { PaymentDetail } from '@/lib/payments/views'

export const metadata: Metadata = { title: 'Payment' }

type PaymentPageProps = { params: Promise<{ paymentId: string }> }

export default async function PaymentPage({ params }: PaymentPageProps) {
  const { paymentId } = await params
  const user = await requireUserOrSignIn(`/payments/${paymentId}`)
  const payment = await getPayment({ user, paymentId }).catch((error: unknown) => {
    if (isAppError(error, 'not_found')) notFound()
    throw error
  })

  return (
    <div className="column">
      <PageLink
        href="/payments"
        className="-mt-4 mb-2 -ml-1 inline-flex min-h-11 items-center gap-2 rounded px-1 text-14 text-ink-soft hover:text-ink"
      >
        <ArrowLeftIcon /> Payments
      </PageLink>
      <PageHeader
        title={<Money amountMinor={payment.amountMinor} currency={payment.currency} />}
        aside={<PaymentStatus payment={payment} />}
      >
        {payment.description}
      </PageHeader>
      <LivePayments payments={[payment]} />
      <Unfinished payment={payment} />
      <Panel aria-label="Details" className="px-4 py-1 sm:px-6">
        <PaymentFacts payment={payment} />
      </Panel>
      <MoneyBack payment={payment} />
      {payment.timeline.length > 0 && (
        <>
          <h2 className="mt-10 mb-4 text-20">What happened</h2>
          <PaymentTimeline timeline={payment.timeline} />
        </>
      )}
    </div>
  )
}

/** The way on for a payment that waits for its customer. */
function Unfinished({ payment }: { payment: PaymentDetail }) {
  const waiting = payment.status.startsWith('requires_') && payment.status !== 'requires_capture'
  if (!waiting || !payment.orderId) return null
  return (
    <Notice
      tone="warn"
      className="mb-6"
      title="This payment is not finished"
      action={
        <a href={`/checkout/${payment.orderId}`} className={buttonLook('primary')}>
          Continue
        </a>
      }
    >
      {payment.failureHint
        ? declineWords({ code: payment.failureHint })
        : 'Nothing was charged yet. You can go on where you stopped.'}
    </Notice>
  )
}
