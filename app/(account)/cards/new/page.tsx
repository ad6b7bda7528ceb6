import type { Metadata } from 'next'
import { AddCardForm } from '@/components/cards/add-card-form'
import { TestCards } from '@/components/payments/test-cards'
import { ArrowLeftIcon, LockIcon } from '@/components/ui/icons'
import { PageHeader } from '@/components/ui/page-header'
import { Panel } from '@/components/ui/panel'
import { requireUserOrSignIn } from '@/lib/auth/session'
import { CARD_CONSENT } from '@/lib/payment-methods/consent'
import { publicConfig } from '@/lib/public-env'

// A bank's own page returns here with the client secret in the address; it must not travel on as a referrer.
export const metadata: Metadata = { title: 'Add a card', referrer: 'no-referrer' }

export default async function AddCardPage() {
  await requireUserOrSignIn('/cards/new')
  const { mode, stripePublishableKey, stripeJsUrl } = publicConfig()

  return (
    <div className="column">
      <a
        href="/cards"
        className="-mt-4 mb-2 -ml-1 inline-flex min-h-11 items-center gap-2 rounded px-1 text-14 text-ink-soft hover:text-ink"
      >
        <ArrowLeftIcon /> Cards
      </a>
      <PageHeader title="Add a card">Nothing is charged now.</PageHeader>
      <Panel aria-label="Card" className="px-4 py-5 sm:px-6">
        <AddCardForm stripe={{ stripePublishableKey, stripeJsUrl }} consent={CARD_CONSENT} />
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
