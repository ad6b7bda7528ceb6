import Link from 'next/link'
import { Instant } from '@/components/ui/instant'
import { LinkProgress } from '@/components/ui/link-progress'
import { Money } from '@/components/ui/money'
import { Bar, Skeleton } from '@/components/ui/skeleton'
import type { PaymentSummary } from '@/lib/payments/views'
import { CardLabel } from './card-label'
import { PaymentStatus } from './payment-status'

// On phones and tablets each row is a small card: what and how much on top, state and date below. From 1024 px on it is a table.
const ROW =
  'relative grid grid-cols-[1fr_auto] items-baseline gap-x-4 gap-y-0.5 border-b px-4 py-3 transition-colors hover:bg-sunken lg:table-row'
const CELL = 'lg:table-cell lg:px-4 lg:py-3 lg:align-middle'
const HEADING = 'px-4 py-2 text-13 font-normal text-ink-soft'

export function PaymentList({ payments }: { payments: PaymentSummary[] }) {
  return (
    <div className="overflow-hidden rounded border bg-raised shadow-flat">
      <table className="block w-full text-14 lg:table">
        <caption className="sr-only">Your payments, newest first</caption>
        <thead className="sr-only lg:not-sr-only lg:table-header-group">
          <tr className="lg:border-b">
            <th scope="col" className={`${HEADING} text-left`}>
              Payment
            </th>
            <th scope="col" className={`${HEADING} text-left`}>
              Status
            </th>
            <th scope="col" className={`${HEADING} text-left`}>
              Card
            </th>
            <th scope="col" className={`${HEADING} text-left`}>
              Date
            </th>
            <th scope="col" className={`${HEADING} text-right`}>
              Amount
            </th>
          </tr>
        </thead>
        <tbody className="block lg:table-row-group [&>tr:last-child]:border-b-0">
          {payments.map((payment) => (
            <tr key={payment.id} className={ROW}>
              <td className={`${CELL} min-w-0 font-medium`}>
                {/* The link reaches over the whole row. */}
                <Link
                  href={`/payments/${payment.id}`}
                  className="rounded-sm after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
                >
                  {payment.description} <LinkProgress />
                </Link>
              </td>
              <td className={`${CELL} row-start-2`}>
                <span className="relative z-10">
                  <PaymentStatus payment={payment} />
                </span>
              </td>
              <td
                className={`${CELL} col-start-2 row-start-2 text-right text-13 text-ink-soft lg:text-left lg:text-14`}
              >
                {payment.card ? <CardLabel card={payment.card} /> : <NoCard />}
              </td>
              <td className={`${CELL} col-span-2 row-start-3 text-13 text-ink-soft lg:text-14`}>
                <span className="relative z-10">
                  <Instant at={payment.createdAt} />
                </span>
              </td>
              <td className={`${CELL} col-start-2 row-start-1 text-right font-medium lg:font-normal`}>
                <Money amountMinor={payment.amountMinor} currency={payment.currency} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function NoCard() {
  return (
    <span className="max-lg:hidden">
      <span aria-hidden="true">–</span>
      <span className="sr-only">No card yet</span>
    </span>
  )
}

/** The shape of the list while it is fetched. */
export function PaymentListSkeleton() {
  return (
    <Skeleton label="Loading your payments" className="rounded border bg-raised shadow-flat">
      <div className="hidden h-9 border-b lg:block" />
      {['w-44', 'w-36', 'w-52', 'w-40', 'w-48'].map((width) => (
        <div
          key={width}
          className="grid min-h-22 grid-cols-[1fr_auto] content-center items-center gap-x-4 gap-y-3 border-b px-4 last:border-b-0 lg:min-h-12 lg:grid-cols-[5fr_4fr_4fr_4fr_3fr] lg:gap-0"
        >
          <Bar className={`h-3.5 max-lg:max-w-36 ${width}`} />
          <Bar className="h-3.5 w-16 justify-self-end lg:order-last" />
          <Bar className="h-3.5 w-20" />
          <Bar className="h-3.5 w-24 max-lg:justify-self-end lg:w-28" />
          <Bar className="h-3.5 w-28 lg:w-32" />
        </div>
      ))}
    </Skeleton>
  )
}
