import type { Metadata } from 'next'
import { Suspense } from 'react'
import { HistoryFilterForm, withFilter } from '@/components/payments/history-filter-form'
import { LivePayments } from '@/components/payments/live-payments'
import { PaymentList, PaymentListSkeleton } from '@/components/payments/payment-list'
import { PageLink } from '@/components/site/page-link'
import { buttonLook } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { PageTurner } from '@/components/ui/page-turner'
import { requireUserOrSignIn, type User } from '@/lib/auth/session'
import { filterFrom, type HistoryFilter } from '@/lib/payments/history-filter'
import { isCursor, listPayments } from '@/lib/payments/list-payments'

export const metadata: Metadata = { title: 'Payments' }

type PaymentsPageProps = { searchParams: Promise<Record<string, string | string[] | undefined>> }

export default async function PaymentsPage({ searchParams }: PaymentsPageProps) {
  const user = await requireUserOrSignIn('/payments')
  const query = await searchParams
  const filter = filterFrom(query)
  const trail = [query.cursor ?? []].flat().filter(isCursor)

  return (
    <div className="column-wide">
      <PageHeader
        title="Payments"
        aside={
          // A file, not a page: nothing to load ahead, and nothing to turn to.
          <a
            href={withFilter('/api/payments/history', filter, [['format', 'csv']])}
            className={buttonLook('quiet', '-mr-4 max-sm:-ml-4')}
          >
            Download as CSV
          </a>
        }
      >
        Everything you paid or tried to pay, newest first.
      </PageHeader>
      <HistoryFilterForm key={JSON.stringify(filter)} filter={filter} />
      <Suspense key={JSON.stringify([filter, trail])} fallback={<PaymentListSkeleton />}>
        <Payments user={user} filter={filter} trail={trail} />
      </Suspense>
    </div>
  )
}

type PaymentsProps = { user: User; filter: HistoryFilter; trail: string[] }

/** `trail` holds the cursors followed so far, the current page's last: that is what makes "Newer" possible. */
async function Payments({ user, filter, trail }: PaymentsProps) {
  const { payments, nextCursor } = await listPayments({ user, filter, cursor: trail.at(-1) })
  const addressOf = (cursors: string[]) =>
    withFilter(
      '/payments',
      filter,
      cursors.map((cursor) => ['cursor', cursor]),
    )

  if (payments.length === 0 && trail.length === 0) {
    return Object.keys(filter).length > 0 ? <NothingFound /> : <NothingYet />
  }
  return (
    <>
      <LivePayments payments={payments} />
      <PaymentList payments={payments} />
      <PageTurner
        label="Pages of payments"
        newer={trail.length > 0 ? addressOf(trail.slice(0, -1)) : null}
        older={nextCursor ? addressOf([...trail, nextCursor]) : null}
      />
    </>
  )
}

function NothingYet() {
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

function NothingFound() {
  return (
    <EmptyState
      title="No payment like that"
      action={
        <PageLink href="/payments" className={buttonLook()}>
          Show all payments
        </PageLink>
      }
    >
      Try fewer words, other days or another status. Days begin and end in UTC.
    </EmptyState>
  )
}
