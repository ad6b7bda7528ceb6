import type { Metadata } from 'next'
import { notFound } from 'next/navigation'
import { InvoicePayForm } from '@/components/billing/invoice-pay-form'
import { TestCards } from '@/components/payments/test-cards'
import { buttonLook } from '@/components/ui/button'
import { ArrowLeftIcon, LockIcon } from '@/components/ui/icons'
import { Instant } from '@/components/ui/instant'
import { Money } from '@/components/ui/money'
import { Notice } from '@/components/ui/notice'
import { PageHeader } from '@/components/ui/page-header'
import { Panel } from '@/components/ui/panel'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { getInvoice } from '@/lib/billing/pay-invoice'
import { isAppError } from '@/lib/errors'
import { publicConfig } from '@/lib/public-env'

export const metadata: Metadata = { title: 'Confirm your payment' }

type InvoicePageProps = { params: Promise<{ invoiceId: string }> }

/** A renewal that could not be paid by itself: the bank asks, or another card is needed. */
export default async function InvoicePage({ params }: InvoicePageProps) {
  const { invoiceId } = await params
  const user = await requireUserOrSignIn(`/checkout/invoices/${invoiceId}`)
  const invoice = await getInvoice({ user, invoiceId }).catch((error: unknown) => {
    if (isAppError(error, 'not_found')) notFound()
    throw error
  })
  const { mode, stripePublishableKey, stripeJsUrl } = publicConfig()

  return (
    <div className="column">
      <a
        href="/subscription"
        className="-mt-4 mb-2 -ml-1 inline-flex min-h-11 items-center gap-2 rounded px-1 text-14 text-ink-soft hover:text-ink"
      >
        <ArrowLeftIcon /> Your subscription
      </a>
      <PageHeader title={<Money amountMinor={invoice.amountMinor} currency={invoice.currency} />}>
        {invoice.plan || 'Subscription'}
      </PageHeader>
      {invoice.status !== 'open' ? (
        <Notice
          tone={invoice.status === 'paid' ? 'good' : 'plain'}
          title={invoice.status === 'paid' ? 'This is paid' : 'There is nothing to pay'}
          action={
            <a href="/subscription" className={buttonLook('primary')}>
              Go to your subscription
            </a>
          }
        />
      ) : (
        <>
          {invoice.graceEndsAt && (
            <Notice tone="warn" className="mb-6">
              You keep everything until <Instant at={invoice.graceEndsAt} />.
            </Notice>
          )}
          <Panel aria-labelledby="pay" className="px-4 py-5 sm:px-6">
            <h2 id="pay" className="mb-4 text-20">
              {invoice.needsAction ? 'Your bank asks you to confirm' : 'Your card'}
            </h2>
            <InvoicePayForm invoiceId={invoice.id} stripe={{ stripePublishableKey, stripeJsUrl }} />
            <p className="mt-4 flex items-start gap-2 text-13 text-ink-soft">
              <LockIcon className="mt-0.5 shrink-0" />
              Your card details go straight to{' '}
              {mode === 'sandbox' ? 'the local stand-in for Stripe' : 'Stripe'}. We never see them.
            </p>
          </Panel>
          {mode === 'sandbox' && <TestCards />}
        </>
      )}
    </div>
  )
}
