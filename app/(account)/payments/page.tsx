import type { Metadata } from 'next'
import { Suspense } from 'react'
import { PaymentList, PaymentListSkeleton } from '@/components/payments/payment-list'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { PageTurner } from '@/components/ui/page-turner'
import { requireUserOrSignIn, type User } from '@/lib/auth/session'
import { isCursor, listPayments } from '@/lib/payments/list-payments'

export const metadata: Metadata = { title: 'Payments' }

type PaymentsPageProps = { searchParams: Promise<{ cursor?: string | string[] }> }

export default async function PaymentsPage({ searchParams }: PaymentsPageProps) {
  const user = await requireUserOrSignIn('/payments')
  const { cursor } = await searchParams
  const trail = [cursor ?? []].flat().filter(isCursor)

  return (
    <div className="column-wide">
      <PageHeader title="Payments">Everything you paid or tried to pay, newest first.</PageHeader>
      <Suspense key={trail.join()} fallback={<PaymentListSkeleton />}>
        <Payments user={user} trail={trail} />
      </Suspense>
    </div>
  )
}

/** `trail` holds the cursors followed so far, the current page's last: that is what makes "Newer" possible. */
async function Payments({ user, trail }: { user: User; trail: string[] }) {
  const { payments, nextCursor } = await listPayments({ user, cursor: trail.at(-1) })

  if (payments.length === 0 && trail.length === 0) {
    return (
      <EmptyState
        title="No payments yet"
        action={
          <PageLink href="/" className={buttonLook('primary')}>
            Go to the catalogue
          </PageLink>
        }
      >
        Once you pay for an order, it appears here with its amount, its card and how it went.
      </EmptyState>
    )
  }
  return (
    <>
      <PaymentList payments={payments} />
      <PageTurner
        label="Pages of payments"
        newer={trail.length > 0 ? addressOf(trail.slice(0, -1)) : null}
        older={nextCursor ? addressOf([...trail, nextCursor]) : null}
      />
    </>
  )
}

function addressOf(trail: string[]): string {
  const query = new URLSearchParams(trail.map((cursor) => ['cursor', cursor]))
  return trail.length > 0 ? `/payments?${query}` : '/payments'
}
